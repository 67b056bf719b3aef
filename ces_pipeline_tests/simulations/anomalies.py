"""How often the watch of `mart.anomalies_daily` claims an incident where nothing happened, and how late it finds one."""

import argparse
import sys
import numpy as np
from ces_pipeline.statistics.anomalies import examine, stabilised, PACES

WEEKDAYS = np.array([1.15, 1.1, 1.05, 1.0, 1.0, 0.85, 0.85])

def day_effects(rng, days, series, sd, rho):
    e = np.empty((days, series)); e[0] = rng.normal(size=series)
    for d in range(1, days): e[d] = rho * e[d-1] + np.sqrt(1-rho**2) * rng.normal(size=series)
    return sd * e

def counts(rng, days, series, rate, over=0.0, rho=0.0, change=None, at=None):
    mean = rate * WEEKDAYS[np.arange(days) % 7][:, None] * np.ones(series)
    # over: variance of the day effect relative
    mean = mean * np.exp(day_effects(rng, days, series, np.sqrt(over), rho)) if over else mean
    if change is not None: mean[at:] *= change
    y = rng.poisson(mean)
    return y

def means(rng, days, series, n, sd=30.0, over=0.0, rho=0.0, change=0.0, at=None):
    k = rng.poisson(n, (days, series))
    with np.errstate(divide='ignore', invalid='ignore'):
        x = 40 + day_effects(rng, days, series, over, rho) + rng.normal(size=(days, series)) * sd / np.sqrt(k)
    if at is not None: x[at:] += change
    return np.where(k > 0, x, np.nan), k

def weekly_counts(y): return y[: len(y)//7*7].reshape(-1, 7, y.shape[1]).sum(axis=1)
def weekly_means(x, k):
    m = len(x)//7*7; x = np.nan_to_num(x[:m]).reshape(-1,7,x.shape[1]); k=k[:m].reshape(-1,7,k.shape[1])
    n = k.sum(axis=1)
    with np.errstate(divide='ignore', invalid='ignore'): return (x*k).sum(axis=1)/n, n

def run_counts(y, grain='day'):
    if grain == 'week': y = weekly_counts(y)
    return examine(stabilised(y), np.ones(y.shape), np.ones(y.shape[1]), np.ones(y.shape, bool), grain)
def run_means(x, k, grain='day', sd=30.0):
    if grain == 'week': x, k = weekly_means(x, k)
    return examine(x, k.astype(float), np.full(x.shape[1], sd**2), np.ones(x.shape, bool), grain)

def false_rate(f, grain):
    steps, s = f.z.shape
    years = (np.isfinite(f.z).sum() / (365 if grain=='day' else 52))
    return f.incident.max(axis=0).sum() / years

def detection(f, at, grain):
    """median delay in days, share within 14 days, share of series with exactly one incident from at on"""
    unit = 1 if grain=='day' else 7
    d=[]; one=[]
    a = at//unit
    for s in range(f.z.shape[1]):
        alarms = np.flatnonzero((f.spike|f.drift)[a:, s])
        # an incident open already
        d.append((alarms[0]+1)*unit if len(alarms) else np.inf)
        ids = set(f.incident[a:, s]) - {0}
        before = f.incident[a-1, s]
        one.append(len(ids - {before}) if before else len(ids))
    d=np.array(d); one=np.array(one)
    return np.median(d), (d<=14).mean(), (one==1).sum()/max(1,(one>=1).sum()), one.mean()

def main():
    series, days = 150, 365
    rng = np.random.default_rng(1)
    print('FALSE per series-year')
    for grain, rates in (('day',(10,30,100,400)),('week',(3,10))):
        for rate in rates:
            for over, rho in ((0,0),(.03,0),(.03,.3),(.03,.5)):
                f = run_counts(counts(rng, days*(1 if grain=='day' else 2), series, rate, over, rho), grain)
                print(f"count {rate:4} {grain} over {over} rho {rho}: {false_rate(f, grain):.2f}  spikes {f.spike.sum()} drifts {f.drift.sum()}")
    for grain, ns in (('day',(50,200)),('week',(15,))):
        for n in ns:
            for over, rho in ((0,0),(2,0),(2,.3),(2,.5)):
                f = run_means(*means(rng, days*(1 if grain=='day' else 2), series, n, 30., over, rho), grain)
                print(f"mean n {n:4} {grain} over {over} rho {rho}: {false_rate(f, grain):.2f} spikes {f.spike.sum()} drifts {f.drift.sum()}")
    print('DETECTION: median days, within 14, exactly one incident, mean incidents')
    at = 203
    for grain, rates in (('day',(10,30,100,400)),('week',(3,))):
        for rate in rates:
            for ch in (.5,.7,2.):
                for over in (0,.03):
                    f = run_counts(counts(rng, days, series, rate, over, 0, ch, at), grain)
                    print(f"count {rate} {grain} x{ch} over {over}: ", "%.0f %.2f %.2f %.2f" % detection(f, at, grain))
    for grain, ns in (('day',(50,200)),('week',(15,))):
        for n in ns:
            for ch in (5,10):
                f = run_means(*means(rng, days, series, n, 30., 0, 0, ch, at), grain)
                print(f"mean {n} {grain} +{ch}: ", "%.0f %.2f %.2f %.2f" % detection(f, at, grain))
if __name__ == '__main__': main()
