/* Retrograd: integers bit by bit: i32, i64 and, but for shifts, bool. Both arguments have one dtype, shapes broadcast; no
 * gradients. */
#ifndef RETROGRAD_OPS_BITWISE_H
#define RETROGRAD_OPS_BITWISE_H

#include <retrograd/base.h>

#ifdef __cplusplus
extern "C" {
#endif

RG_API rg_tensor rg_bitwise_and(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_bitwise_or(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_bitwise_xor(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_bitwise_not(rg_tape *t, rg_tensor x); /* of integers -x - 1 */
/* i32 or i64. By less than 0, or by as many bits as there are, or more: 0 to the left; to the right 0 or, of negative
 * numbers, -1. */
RG_API rg_tensor rg_bitwise_left_shift(rg_tape *t, rg_tensor a, rg_tensor b);
RG_API rg_tensor rg_bitwise_right_shift(rg_tape *t, rg_tensor a, rg_tensor b); /* keeps the sign */

#ifdef __cplusplus
}
#endif
#endif
