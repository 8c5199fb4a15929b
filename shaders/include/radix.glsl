// A stable sort of keys by one digit of 8 bits at a time, in blocks of BLOCK keys. The order is the same on every device: nothing depends on
// which invocation comes first.
#define BLOCK 256
#define DIGITS 256
