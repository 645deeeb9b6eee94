"""The speeds that the project promises, measured: `make bench`, or `python -m benchmarks [--json]`.

On a CPU all is timed in processor seconds, which other programs on the machine hardly touch, and on one thread; on a
GPU and in a browser by the clock. Each ratio is timed within one process in interleaved rounds, so that both sides
meet the same machine at the same time; a number is the median over the rounds, with the least and the greatest.
"""
