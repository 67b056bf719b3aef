-- 95 % intervals of means, shares, net scores and medians, and suppression, for the queries of the marts.
-- 1.959963984540054 is the 97.5 % quantile z of the normal distribution. A figure without rows is null.
-- The linter expects the body of a scalar macro without indentation:
-- noqa: disable=layout.indent

-- 97.5 % quantile of Student's t: a table, and from 30 degrees of freedom on the Cornish-Fisher expansion (Abramowitz
-- and Stegun 26.7.5), correct to seven decimals.
create or replace temp macro t_975(degrees_of_freedom) as
    case
        when degrees_of_freedom < 1 then null
        when degrees_of_freedom < 30
            then [
                12.706204736, 4.302652730, 3.182446305, 2.776445105, 2.570581836, 2.446911851,
                2.364624252, 2.306004135, 2.262157163, 2.228138852, 2.200985160, 2.178812830,
                2.160368656, 2.144786688, 2.131449546, 2.119905299, 2.109815578, 2.100922040,
                2.093024054, 2.085963447, 2.079613845, 2.073873068, 2.068657610, 2.063898562,
                2.059538553, 2.055529439, 2.051830516, 2.048407142, 2.045229642
            ][degrees_of_freedom::bigint]::double
        else
            1.959963984540054::double
            + 2.3722712303::double / degrees_of_freedom
            + 2.8224986157::double / pow(degrees_of_freedom, 2)
            + 2.5558496795::double / pow(degrees_of_freedom, 3)
            + 1.5895340534::double / pow(degrees_of_freedom, 4)
    end;

-- Sample standard deviation from n, the sum and the sum of squares; null below n = 2.
create or replace temp macro sample_sd(n, total, square_total) as
    case when n > 1 then sqrt(greatest(square_total - total * total / n, 0) / (n - 1)) end;

-- 95 % interval of a mean of points 0 to 100: Student's t after 1.5 answers that are spread evenly over a scale of seven
-- are added (mean 50, mean square 2500 + 10000 / 9). Without them, an interval of skewed answers misses too often, and one of
-- equal answers has no width. Null below n = 2. The number 1.5 is the one that covers best in simulation.
create or replace temp macro mean_half_width(n, total, square_total) as
    case
        when n > 1 and square_total is not null
            then t_975(n - 1) * sqrt(
                greatest(
                    (square_total + 1.5 * 3611.1111111111113::double) / (n + 1.5) - pow((total + 75) / (n + 1.5), 2), 0
                )
                / (n + 1.5)
            )
    end;

create or replace temp macro mean_low(n, total, square_total) as
    case
        when n > 1 and square_total is not null
            then greatest((total + 75) / (n + 1.5) - mean_half_width(n, total, square_total), 0::double)
    end;

create or replace temp macro mean_high(n, total, square_total) as
    case
        when n > 1 and square_total is not null
            then least((total + 75) / (n + 1.5) + mean_half_width(n, total, square_total), 100::double)
    end;

-- Wilson's interval of a share, 0 to 1.
create or replace temp macro share_low(counted, n) as
    case
        when n > 0
            then greatest(
                0,
                (
                    counted + 1.920729410347062::double
                    - 1.959963984540054::double * sqrt(counted * (n - counted) / n + 0.960364705173531::double)
                ) / (n + 3.841458820694124::double)
            )
    end;

create or replace temp macro share_high(counted, n) as
    case
        when n > 0
            then least(
                1,
                (
                    counted + 1.920729410347062::double
                    + 1.959963984540054::double * sqrt(counted * (n - counted) / n + 0.960364705173531::double)
                ) / (n + 3.841458820694124::double)
            )
    end;

-- Adjusted-Wald interval of easy share minus difficult share, -1 to 1: 3 added to n and 3/4 to each end box
-- (MeasuringU, after Rocks 2016).
create or replace temp macro net_low(easy, difficult, n) as
    case
        when n > 0
            then greatest(
                -1,
                (easy - difficult) / (n + 3)
                - 1.959963984540054::double * sqrt(
                    ((easy + difficult + 1.5) / (n + 3) - pow((easy - difficult) / (n + 3), 2)) / (n + 3)
                )
            )
    end;

create or replace temp macro net_high(easy, difficult, n) as
    case
        when n > 0
            then least(
                1,
                (easy - difficult) / (n + 3)
                + 1.959963984540054::double * sqrt(
                    ((easy + difficult + 1.5) / (n + 3) - pow((easy - difficult) / (n + 3), 2)) / (n + 3)
                )
            )
    end;

-- Rank, from the smallest, of the lower end of the distribution-free interval of a median of n values: the largest k for
-- which fewer than k of n values are below the median with a probability of at most 2.5 % (binomial). Computed with the
-- Cornish-Fisher expansion of the binomial with p = 1/2, which gives the exact rank. Null below n = 6: no two values form
-- a 95 % interval.
create or replace temp macro median_low_rank(n) as
    case
        when n >= 6
            then ceil((n - 1 - sqrt(n) * (1.959963984540054::double - 0.464111::double / n)) / 2)::bigint
    end;

-- Ends of that interval, for a list in ascending order without nulls.
create or replace temp macro median_low(ordered) as
    ordered[median_low_rank(len(ordered))];

create or replace temp macro median_high(ordered) as
    ordered[len(ordered) + 1 - median_low_rank(len(ordered))];

-- A figure that is suppressed is null, never 0.
create or replace temp macro shown(is_suppressed, figure) as
    case when not is_suppressed then figure end;
