"""Runs one strategy with many parameters: which settings do well together, and would one have picked them in time?

--grid texts ─► Grid (`grid`)
Grid, episodes ─► Job, cut into blocks that any worker can run (`job`)
blocks ─► parts on disk ─► one Parquet file (`store`)
that file ─► robust region, walk-forward, leave one episode out (`robustness`) ─► text, heat map (`text`)
"""
