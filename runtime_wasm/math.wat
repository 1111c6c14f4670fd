;; The math library (docs/language.md L6.1 to L6.3).

;; `math.greatest` of a number or of a list.
(func $fn_math_greatest (param $operand i32) (result i32)
  (call $extreme (local.get $operand) (i32.const 1)))

;; `math.least` of a number or of a list.
(func $fn_math_least (param $operand i32) (result i32)
  (call $extreme (local.get $operand) (i32.const -1)))

;; The element that compares as `order` with all others, the first of equals; a NaN gives way to the next number.
(func $extreme (param $operand i32) (param $order i32) (result i32)
  (local $i i32) (local $best i32) (local $element i32)
  (if (call $is_number (call $tag (local.get $operand))) (then (return (local.get $operand))))
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 8))
    (then (return (call $not_a_test (local.get $operand)))))
  (if (i32.eqz (call $charge_steps (i32.shr_u (call $count (local.get $operand)) (i32.const 4))))
    (then (return (global.get $fatal))))
  (if (i32.eqz (call $count (local.get $operand))) (then (return (i32.const 96))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (call $count (local.get $operand))))
      (local.set $element (call $element (local.get $operand) (local.get $i)))
      (if (i32.eqz (call $is_number (call $tag (local.get $element))))
        (then (return (call $not_a_test (local.get $element)))))
      (if (i32.eqz (local.get $best))
        (then (local.set $best (local.get $element)))
        (else
          (if (i32.or
                (i32.eq (call $compare_numbers (local.get $best) (local.get $best)) (i32.const 2))
                (i32.eq (call $compare_numbers (local.get $element) (local.get $best)) (local.get $order)))
            (then (local.set $best (local.get $element))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (local.get $best))

;; `math.ceil`.
(func $fn_math_ceil (param $operand i32) (result i32)
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 5))
    (then (return (call $not_a_test (local.get $operand)))))
  (call $new_double (f64.ceil (f64.load offset=8 (local.get $operand)))))

;; `math.floor`.
(func $fn_math_floor (param $operand i32) (result i32)
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 5))
    (then (return (call $not_a_test (local.get $operand)))))
  (call $new_double (f64.floor (f64.load offset=8 (local.get $operand)))))

;; `math.trunc`.
(func $fn_math_trunc (param $operand i32) (result i32)
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 5))
    (then (return (call $not_a_test (local.get $operand)))))
  (call $new_double (f64.trunc (f64.load offset=8 (local.get $operand)))))

;; `math.round`: halves away from zero. The fraction is exact, so that nothing is added before it is compared.
(func $fn_math_round (param $operand i32) (result i32)
  (local $value f64) (local $whole f64)
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 5))
    (then (return (call $not_a_test (local.get $operand)))))
  (local.set $value (f64.load offset=8 (local.get $operand)))
  (local.set $whole (f64.trunc (local.get $value)))
  (if (f64.ge (f64.abs (f64.sub (local.get $value) (local.get $whole))) (f64.const 0.5))
    (then (local.set $whole
      (f64.add (local.get $whole) (f64.copysign (f64.const 1) (local.get $value))))))
  (call $new_double (local.get $whole)))

;; `math.abs`.
(func $fn_math_abs (param $operand i32) (result i32)
  (local $tag i32)
  (local.set $tag (call $tag (local.get $operand)))
  (if (i32.eq (local.get $tag) (i32.const 5))
    (then (return (call $new_double (f64.abs (f64.load offset=8 (local.get $operand)))))))
  (if (i32.eq (local.get $tag) (i32.const 4)) (then (return (local.get $operand))))
  (if (i32.ne (local.get $tag) (i32.const 3)) (then (return (call $not_a_test (local.get $operand)))))
  (if (i64.lt_s (i64.load offset=8 (local.get $operand)) (i64.const 0))
    (then (return (call $fn_negate (local.get $operand)))))
  (local.get $operand))

;; `math.sign`.
(func $fn_math_sign (param $operand i32) (result i32)
  (local $tag i32) (local $value f64) (local $a i64)
  (local.set $tag (call $tag (local.get $operand)))
  (local.set $a (i64.load offset=8 (local.get $operand)))
  (if (i32.eq (local.get $tag) (i32.const 5))
    (then
      (local.set $value (f64.load offset=8 (local.get $operand)))
      (if (i32.or (f64.gt (local.get $value) (f64.const 0)) (f64.lt (local.get $value) (f64.const 0)))
        (then (local.set $value (f64.copysign (f64.const 1) (local.get $value)))))
      (return (call $new_double (local.get $value)))))
  (if (i32.eq (local.get $tag) (i32.const 4))
    (then (return (call $new_uint (i64.extend_i32_u (i64.ne (local.get $a) (i64.const 0)))))))
  (if (i32.ne (local.get $tag) (i32.const 3)) (then (return (call $not_a_test (local.get $operand)))))
  (call $new_int (i64.extend_i32_s (call $compare_signed (local.get $a) (i64.const 0)))))

;; `math.sqrt`.
(func $fn_math_sqrt (param $operand i32) (result i32)
  (if (i32.eqz (call $is_number (call $tag (local.get $operand))))
    (then (return (call $not_a_test (local.get $operand)))))
  (call $new_double (f64.sqrt (call $as_double (local.get $operand)))))

;; `math.isNaN`.
(func $fn_math_is_nan (param $operand i32) (result i32)
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 5))
    (then (return (call $not_a_test (local.get $operand)))))
  (call $bool (f64.ne (f64.load offset=8 (local.get $operand)) (f64.load offset=8 (local.get $operand)))))

;; `math.isInf`.
(func $fn_math_is_inf (param $operand i32) (result i32)
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 5))
    (then (return (call $not_a_test (local.get $operand)))))
  (call $bool (f64.eq (f64.abs (f64.load offset=8 (local.get $operand))) (f64.const inf))))

;; `math.isFinite`.
(func $fn_math_is_finite (param $operand i32) (result i32)
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 5))
    (then (return (call $not_a_test (local.get $operand)))))
  (call $bool (f64.lt (f64.abs (f64.load offset=8 (local.get $operand))) (f64.const inf))))

;; The tag (3 or 4) of two integers of one type, else the cell of the fault.
(func $same_integer_tag (param $left i32) (param $right i32) (result i32)
  (local $tag i32)
  (local.set $tag (call $same_number_tag (local.get $left) (local.get $right)))
  (select (i32.const 16) (local.get $tag) (i32.eq (local.get $tag) (i32.const 5))))

;; `math.bitAnd`.
(func $fn_math_bit_and (param $left i32) (param $right i32) (result i32)
  (local $tag i32)
  (local.set $tag (call $same_integer_tag (local.get $left) (local.get $right)))
  (if (i32.ge_u (local.get $tag) (i32.const 16)) (then (return (local.get $tag))))
  (call $new_cell (local.get $tag) (i32.const 0)
    (i64.and (i64.load offset=8 (local.get $left)) (i64.load offset=8 (local.get $right)))))

;; `math.bitOr`.
(func $fn_math_bit_or (param $left i32) (param $right i32) (result i32)
  (local $tag i32)
  (local.set $tag (call $same_integer_tag (local.get $left) (local.get $right)))
  (if (i32.ge_u (local.get $tag) (i32.const 16)) (then (return (local.get $tag))))
  (call $new_cell (local.get $tag) (i32.const 0)
    (i64.or (i64.load offset=8 (local.get $left)) (i64.load offset=8 (local.get $right)))))

;; `math.bitXor`.
(func $fn_math_bit_xor (param $left i32) (param $right i32) (result i32)
  (local $tag i32)
  (local.set $tag (call $same_integer_tag (local.get $left) (local.get $right)))
  (if (i32.ge_u (local.get $tag) (i32.const 16)) (then (return (local.get $tag))))
  (call $new_cell (local.get $tag) (i32.const 0)
    (i64.xor (i64.load offset=8 (local.get $left)) (i64.load offset=8 (local.get $right)))))

;; `math.bitNot`.
(func $fn_math_bit_not (param $operand i32) (result i32)
  (local $tag i32)
  (local.set $tag (call $same_integer_tag (local.get $operand) (local.get $operand)))
  (if (i32.ge_u (local.get $tag) (i32.const 16)) (then (return (local.get $tag))))
  (call $new_cell (local.get $tag) (i32.const 0)
    (i64.xor (i64.load offset=8 (local.get $operand)) (i64.const -1))))

;; The tag of what is shifted by an int, else the cell of the fault.
(func $shift_tag (param $operand i32) (param $offset i32) (result i32)
  (local $tag i32)
  (local.set $tag (call $tag (local.get $operand)))
  (if (i32.or
        (i32.and (i32.ne (local.get $tag) (i32.const 3)) (i32.ne (local.get $tag) (i32.const 4)))
        (i32.ne (call $tag (local.get $offset)) (i32.const 3)))
    (then (return (call $no_overload (local.get $operand) (local.get $offset)))))
  (if (i64.lt_s (i64.load offset=8 (local.get $offset)) (i64.const 0)) (then (return (i32.const 96))))
  (local.get $tag))

;; `math.bitShiftLeft`.
(func $fn_math_bit_shift_left (param $operand i32) (param $offset i32) (result i32)
  (local $tag i32) (local $by i64)
  (local.set $tag (call $shift_tag (local.get $operand) (local.get $offset)))
  (if (i32.ge_u (local.get $tag) (i32.const 16)) (then (return (local.get $tag))))
  (local.set $by (i64.load offset=8 (local.get $offset)))
  (call $new_cell (local.get $tag) (i32.const 0)
    (select
      (i64.shl (i64.load offset=8 (local.get $operand)) (local.get $by))
      (i64.const 0)
      (i64.lt_u (local.get $by) (i64.const 64)))))

;; `math.bitShiftRight`.
(func $fn_math_bit_shift_right (param $operand i32) (param $offset i32) (result i32)
  (local $tag i32) (local $by i64)
  (local.set $tag (call $shift_tag (local.get $operand) (local.get $offset)))
  (if (i32.ge_u (local.get $tag) (i32.const 16)) (then (return (local.get $tag))))
  (local.set $by (i64.load offset=8 (local.get $offset)))
  (call $new_cell (local.get $tag) (i32.const 0)
    (select
      (i64.shr_u (i64.load offset=8 (local.get $operand)) (local.get $by))
      (i64.const 0)
      (i64.lt_u (local.get $by) (i64.const 64)))))
