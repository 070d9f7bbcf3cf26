"""Orders hidden in data: no stage obeys one."""
