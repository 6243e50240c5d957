package daemon

// noFollow is nothing on Windows, where there is no daemon.
const noFollow = 0
