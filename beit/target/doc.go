// Package target lists what masked patches are to be: visual tokens (BEiT v2), a teacher's features (MVP), the codes of
// DALL-E's encoder (BEiT v1), or codes of pixels for those who have none of these.
//
// A kind of target is one file here and one line in Kinds; pretrain.target names it. New gets Sources, from which it takes what it needs.
// baselines.go has what predictions of codes are compared with.
package target
