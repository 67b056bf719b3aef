"""What `mart.contact_frequency` says if another invitation never lowers the chance of an answer.

`python -m ces_pipeline_tests.simulations.contact_frequency` prints one line per number of days of data. People are
invited on random days, two of five answer, with a mean delay of four days. The time to answer is fourteen days.
"""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from ces_pipeline_tests.lake_days import DAY, registry, response
from ces_pipeline_tests.sql.asked import invitation
from ces_pipeline_tests.sql.snapshots import derived

CHANCE, WINDOW, PEOPLE, INVITATIONS_A_MONTH, MEAN_DELAY_DAYS = 0.4, 14, 4_000, 3.0, 4.0
_FIRST = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)


def answered_shares(days: int, seed: int = 1) -> dict[int, tuple[float, float]]:
    """Place of the invitation -> (share of final invitations with an answer, share of all invitations with one)."""
    chance = np.random.default_rng(seed)
    asked, answers = [], []
    for person in range(PEOPLE):
        for moment in np.sort(chance.uniform(0, days, chance.poisson(INVITATIONS_A_MONTH * days / 30))):
            key = f"{person}.{len(asked)}"
            sent = _FIRST + timedelta(days=float(moment))
            asked.append(invitation(key, sent.date(), sent_at=sent, person_key=f"p{person}", response_id=key))
            answered = sent + timedelta(days=float(chance.exponential(MEAN_DELAY_DAYS)))
            if chance.random() < CHANCE and answered < _FIRST + timedelta(days=days):
                answers.append(
                    response(key, answered.date(), recorded_at=answered, respondent_key=f"p{person}")
                )
    given = {"core.invitations": asked, "core.responses": answers}
    with tempfile.TemporaryDirectory() as folder:
        here = registry(Path(folder), invitation_window_days=WINDOW, contact_window_days=30)
        with derived(here, ["mart.contact_frequency", "core.response_invitations"], given) as snapshot:
            rows = snapshot.rows("FROM mart.contact_frequency WHERE place IS NOT NULL ORDER BY place")
            (linked,) = snapshot.rows("SELECT count(*) AS n FROM core.response_invitations")
    everyone = linked["n"] / len(asked)
    return {row["place"]: (row["answered_share"], everyone) for row in rows}


def main() -> None:
    print("days of data  share of all invitations  share of final invitations by place")
    for days in (30, 45, 120):
        found = answered_shares(days)
        (everyone,) = {share for _, share in found.values()}
        places = "  ".join(f"{place}: {share:.3f}" for place, (share, _) in found.items())
        print(f"{days:12}  {everyone:24.3f}  {places}")


if __name__ == "__main__":
    main()
