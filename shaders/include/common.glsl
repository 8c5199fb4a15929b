// Conventions of every shader here.
//
// Set 0 holds storage buffers 0..n-1, one for each tensor. A tensor may start inside its buffer's bound range: push constants begin with n
// words, the element at which each tensor starts. After them come the operation's own words.
//
// Grids of one axis are folded into two, because a driver may allow no more than 65535 workgroups on an axis: GROUP is the index of the
// workgroup. There may be a few more than asked for: compare with the size.

#define GROUP (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x)
#define THREAD gl_LocalInvocationID.x

// Workgroups have THREADS invocations unless a shader says otherwise.
#define THREADS 128

// EACH runs through n elements, ELEMENTS in each workgroup of a grid of one axis.
#define ELEMENTS 512
#define EACH(i, n) for (uint i = GROUP * ELEMENTS + THREAD, end_ = min(n, (GROUP + 1) * ELEMENTS); i < end_; i += THREADS)
