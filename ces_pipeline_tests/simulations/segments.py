"""Segments compared with the rest: families of 20 without any difference, intervals, and differences that are found.

`python -m ces_pipeline_tests.simulations.segments [--families 1000]` prints a row per shape of the answers, share of the
best answer (top box) and n of the segments.
"""

import argparse
from collections.abc import Iterable

import numpy as np
import pandas as pd

from ces_pipeline.statistics.differences import segment_differences

EASES = np.arange(7) * 100 / 6
SHAPES = {
    "falling": np.array([1.0, 2, 4, 8, 16, 32]),
    "flat": np.ones(6),
    "two peaks": np.array([4.0, 1, 1, 1, 1, 2]),
}
"""How the answers below the best one are spread over the six other points."""
TOP_BOXES = (0.35, 0.6, 0.8, 0.9)
SIZES = (30, 60, 150)
SEGMENTS, REST = 20, 2_000


def answers(shape: str, top_box: float) -> np.ndarray:
    """Chances of the seven answers."""
    others = SHAPES[shape]
    return np.append(others / others.sum() * (1 - top_box), top_box)


def shifted(chances: np.ndarray, points: float) -> np.ndarray:
    """The chances with so many points of mean ease less: a share of all answers becomes one of the two worst."""
    worst = np.array([0.5, 0.5, 0, 0, 0, 0, 0])
    share = points / (chances @ EASES - worst @ EASES)
    return (1 - share) * chances + share * worst


def compared(
    random: np.random.Generator,
    of_segments: Iterable[np.ndarray],
    of_rest: np.ndarray,
    n: int,
    families: int,
    rest: int,
) -> pd.DataFrame:
    """Rows of `segment_differences`: each family is a period, and each segment has its own rest."""
    segments = np.stack([random.multinomial(n, chances, families) for chances in of_segments], axis=1)
    others = random.multinomial(rest, of_rest, segments.shape[:2])
    family, place = (axis.ravel() for axis in np.indices(segments.shape[:2]))
    counts, pooled = segments.reshape(-1, 7), (segments + others).reshape(-1, 7)
    return segment_differences(
        pd.DataFrame(
            {
                "period": "all", "period_start": family, "dimension": "channel", "segment": place, "n": n, "n_rest": rest,
                "ease_sum": counts @ EASES, "ease_square_sum": counts @ EASES**2, "n_total": n + rest,
                "ease_sum_total": pooled @ EASES, "ease_square_sum_total": pooled @ EASES**2,
                "ease_cube_sum_total": pooled @ EASES**3, "is_suppressed": False,
            }
        )
    )  # fmt: skip


def table(
    families: int,
    shapes: Iterable[str] = tuple(SHAPES),
    top_boxes: Iterable[float] = TOP_BOXES,
    sizes: Iterable[int] = SIZES,
) -> pd.DataFrame:
    """One row per shape, top box and n.

    any_of_20: families without any difference that have a verdict. covered: intervals that hold the true difference,
    without a difference and with one segment 15 points harder. found_*: that segment is called harder, at 10, 15 and 25
    points. wrong_sign: it is called easier.
    """
    rows = []
    for shape in shapes:
        for top_box in top_boxes:
            for n in sizes:
                random, same = (
                    np.random.default_rng([len(shape), int(100 * top_box), n]),
                    answers(shape, top_box),
                )
                null = compared(random, [same] * SEGMENTS, same, n, families, REST)
                row: dict[str, object] = {"shape": shape, "top_box": top_box, "n": n}
                claimed = null["verdict"].isin(["easier", "harder"])
                row["any_of_20"] = claimed.groupby(null["period_start"]).any().mean()
                row["covered_same"] = _covered(null, 0.0)
                for points in (10, 15, 25):
                    harder = shifted(same, points)
                    found = compared(random, [harder, *[same] * (SEGMENTS - 1)], same, n, families, REST)
                    first = found.loc[found["segment"] == 0]
                    if points == 15:
                        row["covered_15"] = _covered(first, -15.0)
                    row[f"found_{points}"] = (first["verdict"] == "harder").mean()
                    row["wrong_sign"] = max(row.get("wrong_sign", 0.0), (first["verdict"] == "easier").mean())
                rows.append(row)
    return pd.DataFrame(rows)


def _covered(rows: pd.DataFrame, true: float) -> float:
    return float(((rows["difference_low_0_100"] <= true) & (true <= rows["difference_high_0_100"])).mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", type=int, default=1_000, help="families a row")
    print(table(parser.parse_args().families).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
