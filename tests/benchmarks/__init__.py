"""What ``make bench`` measures. Ratios compare within one run; docs/benchmarks.md says how."""
