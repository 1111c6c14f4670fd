;; Arithmetic and concatenation (docs/language.md L3.3).

;; `left + right`.
(func $fn_add (param $left i32) (param $right i32) (result i32)
  (local $tag i32) (local $a i64) (local $b i64) (local $sum i64)
  (if (call $is_fault (local.get $left)) (then (return (local.get $left))))
  (if (call $is_fault (local.get $right)) (then (return (local.get $right))))
  (local.set $tag (call $tag (local.get $left)))
  (local.set $a (i64.load offset=8 (local.get $left)))
  (local.set $b (i64.load offset=8 (local.get $right)))
  (if (i32.ge_u (local.get $tag) (i32.const 10))
    (then (return (call $time_add (local.get $left) (local.get $right)))))
  (if (i32.ne (local.get $tag) (call $tag (local.get $right))) (then (return (i32.const 16))))
  (local.set $sum (i64.add (local.get $a) (local.get $b)))
  (if (i32.eq (local.get $tag) (i32.const 3))
    (then
      (if (i64.lt_s
            (i64.and (i64.xor (local.get $a) (local.get $sum)) (i64.xor (local.get $b) (local.get $sum)))
            (i64.const 0))
        (then (return (i32.const 80))))
      (return (call $new_int (local.get $sum)))))
  (if (i32.eq (local.get $tag) (i32.const 4))
    (then
      (if (i64.lt_u (local.get $sum) (local.get $a)) (then (return (i32.const 80))))
      (return (call $new_uint (local.get $sum)))))
  (if (i32.eq (local.get $tag) (i32.const 5))
    (then (return (call $new_double
      (f64.add (f64.reinterpret_i64 (local.get $a)) (f64.reinterpret_i64 (local.get $b)))))))
  (if (i32.lt_u (local.get $tag) (i32.const 6)) (then (return (i32.const 16))))
  (if (i32.lt_u (local.get $tag) (i32.const 8))
    (then (return (call $concatenate (local.get $tag) (local.get $left) (local.get $right)))))
  (if (i32.eq (local.get $tag) (i32.const 8))
    (then (return (call $concatenate_lists (local.get $left) (local.get $right)))))
  (i32.const 16))

;; Two strings, or two bytes values, as one of the tag.
(func $concatenate (param $tag i32) (param $left i32) (param $right i32) (result i32)
  (local $first i32) (local $second i32) (local $to i32)
  (local.set $first (call $count (local.get $left)))
  (local.set $second (call $count (local.get $right)))
  (if (i32.eqz (call $charge_bytes (i32.add (local.get $first) (local.get $second))))
    (then (return (global.get $fatal))))
  (local.set $to (call $alloc (i32.add (local.get $first) (local.get $second))))
  (memory.copy (local.get $to) (call $address (local.get $left)) (local.get $first))
  (memory.copy
    (i32.add (local.get $to) (local.get $first)) (call $address (local.get $right)) (local.get $second))
  (call $new_cell (local.get $tag)
    (i32.add (local.get $first) (local.get $second)) (i64.extend_i32_u (local.get $to))))

;; Two lists as one.
(func $concatenate_lists (param $left i32) (param $right i32) (result i32)
  (local $first i32) (local $second i32) (local $made i32) (local $to i32)
  (local.set $first (call $count (local.get $left)))
  (local.set $second (call $count (local.get $right)))
  (if (i32.eqz (call $charge_bytes (i32.shl (i32.add (local.get $first) (local.get $second)) (i32.const 4))))
    (then (return (global.get $fatal))))
  (local.set $made (call $new_list (i32.add (local.get $first) (local.get $second))))
  (local.set $to (call $address (local.get $made)))
  (memory.copy (local.get $to) (call $address (local.get $left)) (i32.shl (local.get $first) (i32.const 2)))
  (memory.copy
    (i32.add (local.get $to) (i32.shl (local.get $first) (i32.const 2)))
    (call $address (local.get $right))
    (i32.shl (local.get $second) (i32.const 2)))
  (local.get $made))

;; `left - right`.
(func $fn_subtract (param $left i32) (param $right i32) (result i32)
  (local $tag i32) (local $a i64) (local $b i64) (local $difference i64)
  (if (call $is_fault (local.get $left)) (then (return (local.get $left))))
  (if (call $is_fault (local.get $right)) (then (return (local.get $right))))
  (local.set $tag (call $tag (local.get $left)))
  (if (i32.ge_u (local.get $tag) (i32.const 10))
    (then (return (call $time_subtract (local.get $left) (local.get $right)))))
  (if (i32.ne (local.get $tag) (call $tag (local.get $right))) (then (return (i32.const 16))))
  (local.set $a (i64.load offset=8 (local.get $left)))
  (local.set $b (i64.load offset=8 (local.get $right)))
  (local.set $difference (i64.sub (local.get $a) (local.get $b)))
  (if (i32.eq (local.get $tag) (i32.const 3))
    (then
      (if (i64.lt_s
            (i64.and (i64.xor (local.get $a) (local.get $b)) (i64.xor (local.get $a) (local.get $difference)))
            (i64.const 0))
        (then (return (i32.const 80))))
      (return (call $new_int (local.get $difference)))))
  (if (i32.eq (local.get $tag) (i32.const 4))
    (then
      (if (i64.lt_u (local.get $a) (local.get $b)) (then (return (i32.const 80))))
      (return (call $new_uint (local.get $difference)))))
  (if (i32.eq (local.get $tag) (i32.const 5))
    (then (return (call $new_double
      (f64.sub (f64.reinterpret_i64 (local.get $a)) (f64.reinterpret_i64 (local.get $b)))))))
  (i32.const 16))

;; `left * right`.
(func $fn_multiply (param $left i32) (param $right i32) (result i32)
  (local $tag i32) (local $a i64) (local $b i64) (local $product i64)
  (local.set $tag (call $same_number_tag (local.get $left) (local.get $right)))
  (if (i32.ge_u (local.get $tag) (i32.const 16)) (then (return (local.get $tag))))
  (local.set $a (i64.load offset=8 (local.get $left)))
  (local.set $b (i64.load offset=8 (local.get $right)))
  (if (i32.eq (local.get $tag) (i32.const 5))
    (then (return (call $new_double
      (f64.mul (f64.reinterpret_i64 (local.get $a)) (f64.reinterpret_i64 (local.get $b)))))))
  (local.set $product (i64.mul (local.get $a) (local.get $b)))
  (if (i32.eq (local.get $tag) (i32.const 3))
    (then
      ;; The product divided by one factor is the other, and -1 times the smallest int is not a quotient.
      (if (i64.eqz (local.get $a)) (then (return (call $new_int (i64.const 0)))))
      (if (i64.eq (local.get $a) (i64.const -1))
        (then
          (if (i64.eq (local.get $b) (i64.const 0x8000000000000000)) (then (return (i32.const 80))))
          (return (call $new_int (local.get $product)))))
      (if (i64.ne (i64.div_s (local.get $product) (local.get $a)) (local.get $b)) (then (return (i32.const 80))))
      (return (call $new_int (local.get $product)))))
  (if (i64.eqz (local.get $a)) (then (return (call $new_uint (i64.const 0)))))
  (if (i64.ne (i64.div_u (local.get $product) (local.get $a)) (local.get $b)) (then (return (i32.const 80))))
  (call $new_uint (local.get $product)))

;; The tag (3, 4 or 5) of two numbers of one type, else the cell of the fault.
(func $same_number_tag (param $left i32) (param $right i32) (result i32)
  (local $tag i32)
  (local.set $tag (call $tag (local.get $left)))
  (if (i32.and
        (call $is_number (local.get $tag))
        (i32.eq (local.get $tag) (call $tag (local.get $right))))
    (then (return (local.get $tag))))
  (call $no_overload (local.get $left) (local.get $right)))

;; `left / right`.
(func $fn_divide (param $left i32) (param $right i32) (result i32)
  (local $tag i32) (local $a i64) (local $b i64)
  (local.set $tag (call $same_number_tag (local.get $left) (local.get $right)))
  (if (i32.ge_u (local.get $tag) (i32.const 16)) (then (return (local.get $tag))))
  (local.set $a (i64.load offset=8 (local.get $left)))
  (local.set $b (i64.load offset=8 (local.get $right)))
  (if (i32.eq (local.get $tag) (i32.const 5))
    (then (return (call $new_double
      (f64.div (f64.reinterpret_i64 (local.get $a)) (f64.reinterpret_i64 (local.get $b)))))))
  (if (i64.eqz (local.get $b)) (then (return (i32.const 64))))
  (if (i32.eq (local.get $tag) (i32.const 4))
    (then (return (call $new_uint (i64.div_u (local.get $a) (local.get $b))))))
  (if (i32.and
        (i64.eq (local.get $a) (i64.const 0x8000000000000000))
        (i64.eq (local.get $b) (i64.const -1)))
    (then (return (i32.const 80))))
  (call $new_int (i64.div_s (local.get $a) (local.get $b))))

;; `left % right`.
(func $fn_modulo (param $left i32) (param $right i32) (result i32)
  (local $tag i32) (local $a i64) (local $b i64)
  (local.set $tag (call $same_number_tag (local.get $left) (local.get $right)))
  (if (i32.ge_u (local.get $tag) (i32.const 16)) (then (return (local.get $tag))))
  (if (i32.eq (local.get $tag) (i32.const 5)) (then (return (i32.const 16))))
  (local.set $a (i64.load offset=8 (local.get $left)))
  (local.set $b (i64.load offset=8 (local.get $right)))
  (if (i64.eqz (local.get $b)) (then (return (i32.const 64))))
  (if (i32.eq (local.get $tag) (i32.const 4))
    (then (return (call $new_uint (i64.rem_u (local.get $a) (local.get $b))))))
  (call $new_int (i64.rem_s (local.get $a) (local.get $b))))

;; `-operand`.
(func $fn_negate (param $operand i32) (result i32)
  (local $tag i32) (local $a i64)
  (local.set $tag (call $tag (local.get $operand)))
  (local.set $a (i64.load offset=8 (local.get $operand)))
  (if (i32.eq (local.get $tag) (i32.const 5))
    (then (return (call $new_double (f64.neg (f64.reinterpret_i64 (local.get $a)))))))
  (if (i32.ne (local.get $tag) (i32.const 3)) (then (return (call $not_a_test (local.get $operand)))))
  (if (i64.eq (local.get $a) (i64.const 0x8000000000000000)) (then (return (i32.const 80))))
  (call $new_int (i64.sub (i64.const 0) (local.get $a))))

;; `!operand`.
(func $fn_not (param $operand i32) (result i32)
  (if (i32.eq (local.get $operand) (i32.const 544)) (then (return (i32.const 528))))
  (if (i32.eq (local.get $operand) (i32.const 528)) (then (return (i32.const 544))))
  (call $not_a_test (local.get $operand)))
