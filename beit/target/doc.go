// Package target lists what masked patches are to be: visual tokens (BEiT v2), a teacher's features (MVP) or the codes of
// DALL-E's encoder (BEiT v1).
//
// A kind of target is one file here and one line in Kinds; pretrain.target names it. New gets Sources, from which it takes what it needs.
// baselines.go has what predictions of codes are compared with.
package target
