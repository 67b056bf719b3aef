-- 16 wrong rows: a metric of each mart that has no row, one with a wrong numerator, one measured without a value
insert into mart.quality_daily (landed, redelivered) values (1, 0);

insert into mart.program_metrics (metric, n, state, value)
values
('captured_share', 1, null, null),
('api_calls_ok_share', 1, null, null),
('tickets_answered_share', 1, null, null),
('responses_linked_share', 1, null, null),
('response_rate_1', 1, null, null),
('completed_views_share', 1, null, null),
('rejected_share', 1, null, null),
('redelivered_share', 1, 'measured', 1),
('anomalies', 1, 'measured', null),
('readable_checks_share', 1, null, null),
('followed_up_share', 1, null, null),
('mean_ease_0_100', 1, null, null),
('ease_variance_share', 1, null, null),
('fix_effort_change_0_100', 1, null, null),
('fix_tickets_change_share', 1, null, null);
