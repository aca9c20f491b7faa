// What a crate needs of `core` to have atomics: there is no `core` for other processors here, and the
// compiler has all of them. Compiled with the steps behind it, and never run.
#![feature(no_core, lang_items, intrinsics, rustc_attrs, auto_traits, adt_const_params, unsized_const_params)]
#![allow(internal_features, incomplete_features)]
#![no_core]
#![crate_type = "lib"]

#[lang = "pointee_sized"]
trait PointeeSized {}
#[lang = "meta_sized"]
trait MetaSized: PointeeSized {}
#[lang = "sized"]
trait Sized: MetaSized {}
#[lang = "copy"]
trait Copy {}
impl Copy for u32 {}
#[lang = "legacy_receiver"]
trait LegacyReceiver {}
impl<T: PointeeSized> LegacyReceiver for &T {}
#[lang = "freeze"]
unsafe auto trait Freeze {}
#[lang = "eq"]
trait PartialEq<R: PointeeSized = Self> {
    fn eq(&self, other: &R) -> bool;
}
#[lang = "structural_peq"]
trait StructuralPartialEq {}
#[lang = "const_param_ty"]
trait ConstParamTy: StructuralPartialEq {}

// The compiler goes by their numbers.
pub enum Ordering {
    Relaxed = 0,
    Release = 1,
    Acquire = 2,
    AcqRel = 3,
    SeqCst = 4,
}
impl PartialEq for Ordering {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl StructuralPartialEq for Ordering {}
impl ConstParamTy for Ordering {}

#[rustc_intrinsic]
unsafe fn atomic_load<T: Copy, const ORDER: Ordering>(from: *const T) -> T;
#[rustc_intrinsic]
unsafe fn atomic_store<T: Copy, const ORDER: Ordering>(to: *mut T, value: T);
#[rustc_intrinsic]
unsafe fn atomic_fence<const ORDER: Ordering>();
