-- Do we ask the same people too often? Contacts by their position in a customer's window, and the share of invitations with an answer.
select
    place,
    is_over_limit,
    contacts,
    customers,
    invitations,
    final_invitations,
    round(answered_share, 3) as answered_share,
    round(answered_share_low, 3) as answered_share_low,
    round(answered_share_high, 3) as answered_share_high,
    is_suppressed
from mart.contact_frequency
order by place nulls last;
