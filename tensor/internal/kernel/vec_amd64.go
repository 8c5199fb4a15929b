//go:build amd64 && !purego

package kernel

var vecAVX2 = vecAssembly{
	lanes: 8,

	add: vecAddAVX2, sub: vecSubAVX2, mul: vecMulAVX2, div: vecDivAVX2, max: vecMaxAVX2, min: vecMinAVX2,
	addScaled: vecAddScaledAVX2, affine: vecAffineAVX2, scaleResidual: vecScaleResidualAVX2,

	exp: vecExpAVX2, log: vecLogAVX2, tanh: vecTanhAVX2, gelu: vecGELUAVX2,
	quickGELU: vecQuickGELUAVX2, sigmoid: vecSigmoidAVX2, relu: vecReLUAVX2, sqrt: vecSqrtAVX2,
	tanhGrad: vecTanhGradAVX2, geluGrad: vecGELUGradAVX2, quickGELUGrad: vecQuickGELUGradAVX2, reluGrad: vecReLUGradAVX2,

	sum: vecSumAVX2, sumSquares: vecSumSquaresAVX2, dot: vecDotAVX2, maxValue: vecMaxValueAVX2,
	expSum: vecExpSumAVX2, softmaxGrad: vecSoftmaxGradAVX2,

	centredSquares: vecCentredSquaresAVX2, normalise: vecNormaliseAVX2, layerNormSums: vecLayerNormSumsAVX2,
	layerNormGrad: vecLayerNormGradAVX2, layerNormGradAdd: vecLayerNormGradAddAVX2,
	layerNormParamGrad: vecLayerNormParamGradAVX2,

	adamW: vecAdamWAVX2, toBFloat16: vecToBFloat16AVX2, fromBFloat16: vecFromBFloat16AVX2,
}.funcs()

var vecAVX512 = vecAssembly{
	lanes: 16,

	add: vecAddAVX512, sub: vecSubAVX512, mul: vecMulAVX512, div: vecDivAVX512, max: vecMaxAVX512, min: vecMinAVX512,
	addScaled: vecAddScaledAVX512, affine: vecAffineAVX512, scaleResidual: vecScaleResidualAVX512,

	exp: vecExpAVX512, log: vecLogAVX512, tanh: vecTanhAVX512, gelu: vecGELUAVX512,
	quickGELU: vecQuickGELUAVX512, sigmoid: vecSigmoidAVX512, relu: vecReLUAVX512, sqrt: vecSqrtAVX512,
	tanhGrad: vecTanhGradAVX512, geluGrad: vecGELUGradAVX512, quickGELUGrad: vecQuickGELUGradAVX512, reluGrad: vecReLUGradAVX512,

	sum: vecSumAVX512, sumSquares: vecSumSquaresAVX512, dot: vecDotAVX512, maxValue: vecMaxValueAVX512,
	expSum: vecExpSumAVX512, softmaxGrad: vecSoftmaxGradAVX512,

	centredSquares: vecCentredSquaresAVX512, normalise: vecNormaliseAVX512, layerNormSums: vecLayerNormSumsAVX512,
	layerNormGrad: vecLayerNormGradAVX512, layerNormGradAdd: vecLayerNormGradAddAVX512,
	layerNormParamGrad: vecLayerNormParamGradAVX512,

	adamW: vecAdamWAVX512, toBFloat16: vecToBFloat16AVX512, fromBFloat16: vecFromBFloat16AVX512,
}.funcs()
