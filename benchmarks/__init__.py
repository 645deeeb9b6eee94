"""The speeds that the project promises, measured: `make bench`, or `python -m benchmarks [--json]`.

Everything runs on one thread and is timed in processor seconds, which other programs on the machine hardly
touch. Each ratio is timed within one process in interleaved rounds, so that both sides meet the same machine at
the same time; a number is the median over the rounds, with the least and the greatest.
"""
