/* 1. A first gradient: z = x^2 y + y at x = 3, y = 2, with dz/dx = 2xy and dz/dy = x^2 + 1. */
#include <retrograd/retrograd.h>
#include <stdio.h>

int main(void)
{
    rg_tape *t = rg_tape_new(NULL);

    /* Each call records one node on the tape and returns a handle to it. Nothing is computed yet. */
    rg_tensor x = rg_scalar(t, RG_F64, 3);
    rg_tensor y = rg_scalar(t, RG_F64, 2);
    rg_tensor z = rg_add(t, rg_mul(t, rg_square(t, x), y), y);

    /* The gradient is recorded as well: more nodes on the same tape. */
    rg_tensor gradient[2];
    rg_grad(t, z, (rg_tensor[]){x, y}, 2, gradient);

    /* Asking for a value computes what it needs. */
    const double value = rg_item(t, z), dx = rg_item(t, gradient[0]), dy = rg_item(t, gradient[1]);
    printf("z     = %g\ndz/dx = %g\ndz/dy = %g\n", value, dx, dy);

    /* Had anything above gone wrong, the tape would have kept the first error. One look is enough. */
    const bool failed = rg_failed(t);
    if (failed)
        fprintf(stderr, "%s\n", rg_tape_error(t));
    rg_tape_free(t);
    return failed || value != 20 || dx != 12 || dy != 10;
}
