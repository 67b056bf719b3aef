-- One row per release and survey that it affects (and all of them): the change of effort after the release.
-- column release_key: Key of the row: release and survey, or `all surveys`.
select
    windows.release_id || '/' || windows.series as release_key,
    windows.release_id,
    releases.title as release_title,
    windows.release_day,
    windows.series,
    windows.n_before,
    windows.n_after,
    windows.before_effort_0_100,
    windows.after_effort_0_100,
    windows.change_effort_0_100,
    windows.change_low_0_100,
    windows.change_high_0_100,
    windows.verdict,
    windows.why
from mart.release_windows as windows
left join reference.releases as releases using (release_id)
order by release_key;
