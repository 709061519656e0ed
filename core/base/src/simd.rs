//! Loops that use the processor's wide instructions where it has them.
//!
//! The default target of x86-64 knows SSE2 only. [`wide!`](crate::wide) compiles a loop three times,
//! also for AVX2 with FMA and for AVX-512, and asks the processor which one to run. On one machine
//! the choice never changes, so results are the same from run to run. The two wide forms round
//! alike.

/// Makes a function from a body in which the constant `FMA` says whether `f32::mul_add` is one
/// instruction and `LANES`, where it is asked for, how many `f32` a register holds. The body and
/// all it calls must be inlined to profit.
#[macro_export]
macro_rules! wide {
    ($(#[$doc:meta])* $vis:vis fn $name:ident<FMA>($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? $body:block) => {
        $crate::wide! {
            $(#[$doc])* $vis fn $name<FMA, _LANES>($($arg: $type),*) $(-> $out)? $body
        }
    };
    ($(#[$doc:meta])* $vis:vis fn $name:ident<FMA, $lanes:ident>($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? $body:block) => {
        $(#[$doc])*
        $vis fn $name($($arg: $type),*) $(-> $out)? {
            #[inline(always)]
            fn body<const FMA: bool, const $lanes: usize>($($arg: $type),*) $(-> $out)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,fma")]
                fn avx512($($arg: $type),*) $(-> $out)? {
                    body::<true, 16>($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $type),*) $(-> $out)? {
                    body::<true, 8>($($arg),*)
                }
                if $crate::simd::has_avx512() {
                    // SAFETY: the processor has just said that it knows these instructions.
                    #[allow(unsafe_code)] // there is no safe way to call what was detected
                    return unsafe { avx512($($arg),*) };
                }
                if $crate::simd::has_avx2() {
                    // SAFETY: the processor has just said that it knows these instructions.
                    #[allow(unsafe_code)] // there is no safe way to call what was detected
                    return unsafe { avx2($($arg),*) };
                }
            }
            body::<{ cfg!(target_arch = "aarch64") }, 4>($($arg),*)
        }
    };
}

/// Returns whether the processor has the parts of AVX-512 that [`wide!`](crate::wide) uses.
#[cfg(target_arch = "x86_64")]
#[must_use]
#[inline]
pub fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("fma")
}

/// Returns whether the processor has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[must_use]
#[inline]
pub fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}
