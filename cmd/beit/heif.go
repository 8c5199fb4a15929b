//go:build heif

package main

import _ "github.com/gobeit/gobeit/beit/data/heif" // reads HEIC and AVIF images too
