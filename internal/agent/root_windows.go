package agent

// liveRoot is the root of the running host.
const liveRoot = `C:\`
