/* The public headers as C++17. Compiled with -DRG_HEADER='<retrograd/x.h>' it holds that a header stands alone and may be
 * included twice; without, it includes all of them and uses them as a C++ program would. */
#ifdef RG_HEADER

#include RG_HEADER
#include RG_HEADER

extern rg_tensor test_header_handle;

#else

#include <retrograd/retrograd.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>

static int failures = 0;

static void check(bool holds, const char *what)
{
    std::printf("%s: %s\n", holds ? "ok" : "FAILED", what);
    if (!holds)
        failures++;
}

using tape_owner = std::unique_ptr<rg_tape, decltype(&rg_tape_free)>;
using params_owner = std::unique_ptr<rg_params, decltype(&rg_params_free)>;

static void macros_build_what_they_build_in_c()
{
    const rg_shape shape = RG_SHAPE(4, 2);
    check(shape.rank == 2 && shape.dims[0] == 4 && shape.dims[1] == 2 && shape.dims[2] == 0, "RG_SHAPE(4, 2)");
    const rg_axes axes = RG_AXES(0, -1);
    check(axes.count == 2 && axes.axis[0] == 0 && axes.axis[1] == -1, "RG_AXES(0, -1)");
    check(RG_SCALAR.rank == 0 && rg_shape_numel(RG_SCALAR) == 1, "RG_SCALAR");
    check(RG_ALL.count == 0, "RG_ALL");
    check(rg_is_nil(RG_NIL), "RG_NIL");
    const int64_t rows = 3;
    check(RG_SHAPE(rows, 2).dims[0] == 3, "RG_SHAPE of variables of different types");
}

static void a_recorded_program_gives_its_values_and_gradients()
{
    const tape_owner owner(rg_tape_new(nullptr), rg_tape_free);
    rg_tape *t = owner.get();
    const float values[] = {1, 2, 3, 4};
    const rg_tensor x = rg_input_f32(t, RG_SHAPE(2, 2), values);
    const rg_tensor rows = rg_sum(t, x, RG_AXES(-1), false);
    const rg_tensor y = rg_affine(t, x, rg_full(t, RG_F32, RG_SHAPE(1, 2), 2), RG_NIL);
    const rg_tensor total = rg_sum(t, rg_square(t, y), RG_ALL, false);
    rg_tensor gradient = RG_NIL;
    check(rg_grad(t, total, &x, 1, &gradient), "rg_grad succeeds");

    float sums[2] = {};
    check(rg_read(t, rows, sums, sizeof sums) && sums[0] == 3 && sums[1] == 7, "sums over an axis");
    /* y = [6, 14], so the total is 36 + 196 and its gradient 2 y 2. */
    check(rg_item(t, total) == 232, "a loss");
    const float *g = rg_data_f32(t, gradient);
    check(g && g[0] == 24 && g[1] == 24 && g[2] == 56 && g[3] == 56, "a gradient");
    check(!rg_failed(t) && std::strcmp(rg_tape_error(t), "") == 0, "no error");

    rg_shape_of(t, RG_NIL);
    check(rg_failed(t), "a nil handle is an error");
}

static void a_model_trains()
{
    const params_owner store(rg_params_new(1), rg_params_free);
    const tape_owner owner(rg_tape_new(nullptr), rg_tape_free);
    rg_tape *t = owner.get();
    rg_param *w = rg_param_new(store.get(), "w", RG_F64, RG_SCALAR, nullptr);
    rg_sgd_config config = {};
    config.lr = 0.25;
    rg_optim *optimizer = rg_sgd_new(store.get(), &config);
    for (int step = 0; step < 50; step++) {
        rg_tape_reset(t);
        rg_backward(t, rg_square(t, rg_add_scalar(t, rg_leaf(t, w), -3)));
        rg_optim_step(optimizer, t);
    }
    rg_tape_reset(t);
    check(!rg_failed(t), "training does not fail");
    const double *value = static_cast<const double *>(rg_param_data(w));
    check(value && std::fabs(*value - 3) < 1e-9, "the minimum of (w - 3)^2 is found");
    rg_optim_free(optimizer);
}

int main()
{
    macros_build_what_they_build_in_c();
    a_recorded_program_gives_its_values_and_gradients();
    a_model_trains();
    return failures > 0;
}

#endif
