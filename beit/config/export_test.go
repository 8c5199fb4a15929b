package config

import "maps"

// OldKeys are the former names of keys and what they are called now, and OldMethods those of methods, for tests that know the methods.
func OldKeys() map[string]string { return maps.Clone(oldKeys) }

// OldMethods are the former names of methods.
func OldMethods() map[string]string { return maps.Clone(oldMethods) }

// ElsewhereNames are the names that other programs give to settings, and how ours end.
func ElsewhereNames() map[string]string { return elsewhere }
