package logfile

// plainOnly is nothing on Windows, where there is no daemon.
const plainOnly = 0
