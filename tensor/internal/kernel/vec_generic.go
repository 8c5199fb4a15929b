package kernel

var vecGeneric = VecFuncs{}
