-- blocking of mart.response_funnel_daily: The figures of the journey, the funnel or the KPIs do not add up to their input rows. Delete the published file and run `ces run`, which rebuilds it from the lake. If the check still fails, this is a bug: keep the lake folder and open an issue.
with sums as (
    select
        'mart.journey_weekly' as table_name,
        (select coalesce(sum(n), 0) from mart.journey_weekly) as counted,
        (select count(*) from core.responses where ease_0_100 is not null) as expected
    union all
    select
        'mart.response_funnel_daily' as table_name,
        (
            select
                coalesce(
                    sum(
                        completes + partials + refusals + non_contacts + others + unknown_eligibility + out_of_scope
                    ),
                    0
                )
            from mart.response_funnel_daily
        ) as counted,
        (select count(*) from core.invitations where survey_id is not null) as expected
    union all
    select
        'mart.response_funnel_daily: responses' as table_name,
        (select coalesce(sum(responses), 0) from mart.response_funnel_daily) as counted,
        (select count(*) from core.responses) as expected
    union all
    select
        'mart.tag_coverage_daily' as table_name,
        (select coalesce(sum(known + not_known), 0) from mart.tag_coverage_daily) as counted,
        (select 6 * count(*) from core.responses) as expected
    union all
    select
        'mart.kpi_crosstab' as table_name,
        (select coalesce(sum(n), 0) from mart.kpi_crosstab) as counted,
        (select count(*) from mart.kpi_pairs) as expected
    union all
    select
        'mart.kpi_association' as table_name,
        (select coalesce(sum(n), 0) from mart.kpi_association) as counted,
        (select count(*) from mart.kpi_pairs) as expected
)

select
    table_name,
    counted,
    expected
from sums
where counted <> expected
order by table_name;
