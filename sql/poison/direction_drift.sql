-- 1 wrong row: a score that goes down where satisfaction goes up, and did not before
insert into mart.direction_drift (source_id, survey_id, signal, state, is_flagged)
values
('web', 'chat', 'csat', 'reversed', true),
('web', 'chat', 'nps', 'agrees', false);
