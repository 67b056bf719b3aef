-- 1 wrong row: a tag that was known for all responses and is known for none
insert into reference.settings (minimum_n, tag_coverage_warning) values (1, 0.5);

insert into mart.tag_coverage_daily (day, tag, responses, known)
values
('2026-02-20', 'product', 1, 1),
('2026-03-02', 'product', 1, 0);
