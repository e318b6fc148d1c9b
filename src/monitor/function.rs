//! Functions of any number of arguments, and wrapping them.

/// Something done around each call of a function. What [`Function::boxed`] takes.
pub trait Around<T> {
    /// What the wrapped function returns.
    type Output;

    /// Does `call`, and what there is to do around it.
    fn around(&self, call: impl FnOnce() -> T) -> Self::Output;
}

/// A function or closure of up to six arguments that can be called from several threads. `Args` is the tuple of them.
///
/// Implemented for all there are; there is nothing to implement.
pub trait Function<Args> {
    /// What it returns.
    type Output;

    /// A function of the same arguments that returns `R`.
    type Boxed<'f, R>
    where
        Self: 'f;

    /// The function with something done around each call.
    fn boxed<'f, W>(self, around: W) -> Self::Boxed<'f, W::Output>
    where
        Self: 'f,
        W: Around<Self::Output> + Send + Sync + 'f;
}

macro_rules! functions {
    ($(($($argument:ident $value:ident),*))*) => {$(
        impl<F, T, $($argument),*> Function<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> T + Send + Sync,
        {
            type Output = T;
            type Boxed<'f, R> = Box<dyn Fn($($argument),*) -> R + Send + Sync + 'f>
            where
                Self: 'f;

            fn boxed<'f, W>(self, around: W) -> Self::Boxed<'f, W::Output>
            where
                Self: 'f,
                W: Around<T> + Send + Sync + 'f,
            {
                Box::new(move |$($value: $argument),*| around.around(|| self($($value),*)))
            }
        }
    )*};
}

functions! {
    ()
    (A a)
    (A a, B b)
    (A a, B b, C c)
    (A a, B b, C c, D d)
    (A a, B b, C c, D d, E e)
    (A a, B b, C c, D d, E e, G g)
}
