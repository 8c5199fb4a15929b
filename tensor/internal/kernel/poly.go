package kernel

// The constants of exp, log, tanh and the normal distribution's tail, shared by every CPU
// level. Plain Go uses them by name, and the assembly generator reads them from this file.
//
// The polynomials are minimax fits (Remez exchange in 40-digit arithmetic) of the weighted errors
// given with each. Coefficients were rounded to float32 one after the other from the lowest, and
// the rest refitted each time. Those of the tail were rounded together, by a descent over single ulps.
// The errors stated here are those of the rounded polynomials in exact arithmetic. The errors of the
// functions in float32 are stated in vec.go and tested over the whole range.

// exp(x) = 2^n·exp(r) with n = round(x·log2 e) and r = x - n·ln 2, |r| <= ln(2)/2.
// ln 2 is split so that n·ln2High is exact: exp(r) = 1 + r + r²·(exp0 + exp1·r + ...), relative error 3.2e-9.
const (
	log2E   = 1.44269504089
	ln2High = 0.693359375
	ln2Low  = -2.12194440055e-4

	expLowest  = -104 // exp of this and less is 0: half the smallest denormal is exp(-103.97)
	expHighest = 89   // exp of this is +Inf

	// Adding and subtracting 1.5·2^23 rounds to an integer, half to even.
	roundMagic = 12582912

	exp0 = 0.49999994
	exp1 = 0.166665167
	exp2 = 0.0416681059
	exp3 = 0.00836913195
	exp4 = 0.00138364534
)

// log(2^e·(1+f)) = e·ln 2 + f - f²/2 + f³·(log0 + log1·f + ...) with √½ <= 1+f < √2,
// relative error of log(1+f) 1.1e-9.
const (
	logSqrtHalfBits = 0x3f3504f3 // bits of √½
	logDenormScale  = 8388608    // 2^23 makes a denormal normal

	log0 = 0.333333135
	log1 = -0.250000089
	log2 = 0.200020492
	log3 = -0.16667974
	log4 = 0.142211258
	log5 = -0.124071814
	log6 = 0.118769325
	log7 = -0.116599008
	log8 = 0.0675380304
)

// tanh(x) = x + x³·(tanh0 + tanh1·x² + ...) for |x| < tanhSmall, relative error 5.8e-9;
// sign(x)·(1 - 2/(exp(2|x|)+1)) beyond.
const (
	tanhSmall = 0.625
	tanhLarge = 10 // tanh rounds to 1 from 9.02 on

	tanh0 = -0.333332688
	tanh1 = 0.13331072
	tanh2 = -0.0537079871
	tanh3 = 0.0205334313
	tanh4 = -0.00558507536
)

// The upper tail of the normal distribution, for a >= 0:
//
//	1-Φ(a) = exp(-a²/2)·q·(tail0 + tail1·u + tail2·u² + ...) with q = 1/(a+4), u = (a-4)·q
//
// relative error 2.3e-8 up to tailLargest, where exp(-a²/2) has long been 0.
// The variable u spreads a over about [-1, 0.6), where the polynomial converges fast.
const (
	tailCentre  = 4
	tailLargest = 14.75

	tail0  = 0.755285144
	tail1  = -0.607896626
	tail2  = 0.387137264
	tail3  = -0.186521649
	tail4  = 0.0603982247
	tail5  = -0.00754273823
	tail6  = -0.00349186617
	tail7  = 0.00163612142
	tail8  = 0.000171513981
	tail9  = -0.00022036377
	tail10 = -4.55530753e-05

	invSqrt2Pi = 0.398942280401

	quickGELU = 1.702
	// sigmoidLargest bounds |z|: exp of its negative is 0.
	sigmoidLargest = 105
)
