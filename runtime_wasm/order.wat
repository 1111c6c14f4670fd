;; Order (docs/language.md L3.2).

;; `left < right`.
(func $fn_less (param $left i32) (param $right i32) (result i32)
  (call $is_less (call $charged_order (local.get $left) (local.get $right))))

;; `left <= right`.
(func $fn_less_equal (param $left i32) (param $right i32) (result i32)
  (call $is_less_equal (call $charged_order (local.get $left) (local.get $right))))

;; `left > right`.
(func $fn_greater (param $left i32) (param $right i32) (result i32)
  (call $is_greater (call $charged_order (local.get $left) (local.get $right))))

;; `left >= right`.
(func $fn_greater_equal (param $left i32) (param $right i32) (result i32)
  (call $is_greater_equal (call $charged_order (local.get $left) (local.get $right))))

;; $order, charged where both operands are strings, or both bytes (L2.9).
(func $charged_order (param $left i32) (param $right i32) (result i32)
  (if (i32.and
        (i32.eq (i32.or (call $tag (local.get $left)) (i32.const 1)) (i32.const 7))
        (i32.eq (call $tag (local.get $left)) (call $tag (local.get $right))))
    (then
      (if (i32.eqz (call $charge_shorter (local.get $left) (local.get $right))) (then (return (global.get $fatal))))))
  (call $order (local.get $left) (local.get $right)))

;; Takes the steps of looking through the shorter one of two texts. Result as $charge_steps.
(func $charge_shorter (param $left i32) (param $right i32) (result i32)
  (call $charge_scan
    (select
      (local.get $left)
      (local.get $right)
      (i32.lt_u (call $count (local.get $left)) (call $count (local.get $right))))))

;; -1, 0 or 1; 2 where a NaN makes them unordered; else the cell of a fault.
(func $order (param $left i32) (param $right i32) (result i32)
  (local $tag i32)
  (if (call $is_fault (local.get $left)) (then (return (local.get $left))))
  (if (call $is_fault (local.get $right)) (then (return (local.get $right))))
  (local.set $tag (call $tag (local.get $left)))
  (if (i32.and (call $is_number (local.get $tag)) (call $is_number (call $tag (local.get $right))))
    (then (return (call $compare_numbers (local.get $left) (local.get $right)))))
  (if (i32.ne (local.get $tag) (call $tag (local.get $right))) (then (return (i32.const 16))))
  (if (i32.or (i32.eq (local.get $tag) (i32.const 6)) (i32.eq (local.get $tag) (i32.const 7)))
    (then (return (call $compare_bytes (local.get $left) (local.get $right)))))
  (if (i32.or (i32.eq (local.get $tag) (i32.const 2)) (i32.eq (local.get $tag) (i32.const 11)))
    (then (return (call $compare_signed
      (i64.load offset=8 (local.get $left)) (i64.load offset=8 (local.get $right))))))
  (if (i32.eq (local.get $tag) (i32.const 10))
    (then
      (local.set $tag
        (call $compare_signed (i64.load offset=8 (local.get $left)) (i64.load offset=8 (local.get $right))))
      (if (local.get $tag) (then (return (local.get $tag))))
      (return (call $compare_signed
        (i64.extend_i32_u (call $count (local.get $left))) (i64.extend_i32_u (call $count (local.get $right)))))))
  (i32.const 16))

;; -1, 0 or 1 of two signed numbers.
(func $compare_signed (param $left i64) (param $right i64) (result i32)
  (i32.sub
    (i64.gt_s (local.get $left) (local.get $right))
    (i64.lt_s (local.get $left) (local.get $right))))

;; -1, 0, 1, or 2 of two numbers of any types: an int or uint against a double as the nearest double.
(func $compare_numbers (param $left i32) (param $right i32) (result i32)
  (local $tag i32) (local $other i32) (local $a i64) (local $b i64) (local $x f64) (local $y f64)
  (local.set $tag (call $tag (local.get $left)))
  (local.set $other (call $tag (local.get $right)))
  (local.set $a (i64.load offset=8 (local.get $left)))
  (local.set $b (i64.load offset=8 (local.get $right)))
  (if (i32.or (i32.eq (local.get $tag) (i32.const 5)) (i32.eq (local.get $other) (i32.const 5)))
    (then
      (local.set $x (call $as_double (local.get $left)))
      (local.set $y (call $as_double (local.get $right)))
      (if (f64.lt (local.get $x) (local.get $y)) (then (return (i32.const -1))))
      (if (f64.gt (local.get $x) (local.get $y)) (then (return (i32.const 1))))
      (return (select (i32.const 0) (i32.const 2) (f64.eq (local.get $x) (local.get $y))))))
  ;; An int below zero is less than any uint; past that both compare as unsigned, two ints as signed.
  (if (i32.eq (local.get $tag) (local.get $other))
    (then
      (if (i32.eq (local.get $tag) (i32.const 3))
        (then (return (call $compare_signed (local.get $a) (local.get $b))))))
    (else
      (if (i32.and (i32.eq (local.get $tag) (i32.const 3)) (i64.lt_s (local.get $a) (i64.const 0)))
        (then (return (i32.const -1))))
      (if (i32.and (i32.eq (local.get $other) (i32.const 3)) (i64.lt_s (local.get $b) (i64.const 0)))
        (then (return (i32.const 1))))))
  (i32.sub (i64.gt_u (local.get $a) (local.get $b)) (i64.lt_u (local.get $a) (local.get $b))))

;; A number's cell as a double: the nearest one.
(func $as_double (param $cell i32) (result f64)
  (if (i32.eq (call $tag (local.get $cell)) (i32.const 3))
    (then (return (f64.convert_i64_s (i64.load offset=8 (local.get $cell))))))
  (if (i32.eq (call $tag (local.get $cell)) (i32.const 4))
    (then (return (f64.convert_i64_u (i64.load offset=8 (local.get $cell))))))
  (f64.load offset=8 (local.get $cell)))

;; -1, 0 or 1 of two string or bytes cells, byte by byte; that is code point order for UTF-8.
(func $compare_bytes (param $left i32) (param $right i32) (result i32)
  (local $difference i32) (local $end i32) (local $size i32)
  (local.set $size (call $count (local.get $left)))
  (local.set $difference (i32.sub (local.get $size) (call $count (local.get $right))))
  (local.set $left (call $address (local.get $left)))
  (local.set $end
    (i32.add (local.get $left)
      (i32.sub
        (local.get $size)
        (select (local.get $difference) (i32.const 0) (i32.gt_s (local.get $difference) (i32.const 0))))))
  (local.set $right (call $address (local.get $right)))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $left) (local.get $end)))
      (local.set $size (i32.sub (i32.load8_u (local.get $left)) (i32.load8_u (local.get $right))))
      (local.set $left (i32.add (local.get $left) (i32.const 1)))
      (local.set $right (i32.add (local.get $right) (i32.const 1)))
      (br_if $next (i32.eqz (local.get $size)))
      (local.set $difference (local.get $size))))
  (i32.sub
    (i32.gt_s (local.get $difference) (i32.const 0))
    (i32.lt_s (local.get $difference) (i32.const 0))))
