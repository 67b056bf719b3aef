-- 6 wrong rows: one of each figure, and none of what it counts
insert into mart.journey_weekly (n) values (1);

insert into mart.response_funnel_daily (
    completes, partials, refusals, non_contacts, others, unknown_eligibility, out_of_scope, responses
)
values (1, 0, 0, 0, 0, 0, 0, 1);

insert into mart.tag_coverage_daily (known, not_known) values (1, 0);
insert into mart.kpi_crosstab (n) values (1);
insert into mart.kpi_association (n) values (1);
