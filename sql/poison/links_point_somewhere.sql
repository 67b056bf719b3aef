-- 1 wrong row: a link of a response that is not published
insert into core.response_tickets (response_key, method, day) values ('none', 'ambiguous', '2026-03-02');
