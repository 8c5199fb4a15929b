//go:build arm64 && !purego

package kernel

var vecNEON = vecAssembly{
	lanes: 4,

	add: vecAddNEON, sub: vecSubNEON, mul: vecMulNEON, div: vecDivNEON, max: vecMaxNEON, min: vecMinNEON,
	addScaled: vecAddScaledNEON, affine: vecAffineNEON, scaleResidual: vecScaleResidualNEON,

	exp: vecExpNEON, log: vecLogNEON, tanh: vecTanhNEON, gelu: vecGELUNEON,
	quickGELU: vecQuickGELUNEON, sigmoid: vecSigmoidNEON, relu: vecReLUNEON, sqrt: vecSqrtNEON,
	tanhGrad: vecTanhGradNEON, geluGrad: vecGELUGradNEON, quickGELUGrad: vecQuickGELUGradNEON, reluGrad: vecReLUGradNEON,

	sum: vecSumNEON, sumSquares: vecSumSquaresNEON, dot: vecDotNEON, maxValue: vecMaxValueNEON,
	expSum: vecExpSumNEON, softmaxGrad: vecSoftmaxGradNEON,

	centredSquares: vecCentredSquaresNEON, normalise: vecNormaliseNEON, layerNormSums: vecLayerNormSumsNEON,
	layerNormGrad: vecLayerNormGradNEON, layerNormGradAdd: vecLayerNormGradAddNEON,
	layerNormParamGrad: vecLayerNormParamGradNEON,

	adamW: vecAdamWNEON, toBFloat16: vecToBFloat16NEON, fromBFloat16: vecFromBFloat16NEON,
}.funcs()
