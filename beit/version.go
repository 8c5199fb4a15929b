package beit

// Version is the version of this module.
const Version = "v0.1.0"
