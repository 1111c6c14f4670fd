;; Comparisons with a constant of the policy (docs/language.md L3.1, L3.2): what the general forms do for one kind of right
;; operand, so that a policy of plain constraints links little else. `constant` is a cell that is no fault.

;; `left == constant`, a string or bytes of its tag that is too short to take steps (L2.9).
(func $equal_text (param $left i32) (param $constant i32) (result i32)
  (if (call $is_fault (local.get $left)) (then (return (local.get $left))))
  (if (i32.ne (call $tag (local.get $left)) (call $tag (local.get $constant))) (then (return (i32.const 528))))
  (call $bool (call $same_text (local.get $left) (local.get $constant))))

;; `left == constant`, a number.
(func $equal_number (param $left i32) (param $constant i32) (result i32)
  (if (call $is_fault (local.get $left)) (then (return (local.get $left))))
  (if (i32.eqz (call $is_number (call $tag (local.get $left)))) (then (return (i32.const 528))))
  (call $bool (i32.eqz (call $compare_numbers (local.get $left) (local.get $constant)))))

;; `left == constant`, null or a bool: cells that exist once.
(func $equal_single (param $left i32) (param $constant i32) (result i32)
  (if (call $is_fault (local.get $left)) (then (return (local.get $left))))
  (call $bool (i32.eq (local.get $left) (local.get $constant))))

;; The other truth; a fault stays.
(func $opposite (param $cell i32) (result i32)
  (if (call $is_fault (local.get $cell)) (then (return (local.get $cell))))
  (call $bool (i32.eq (local.get $cell) (i32.const 528))))

;; -1, 0, 1 or 2 (unordered) against a number, else the cell of a fault.
(func $order_number (param $left i32) (param $constant i32) (result i32)
  (if (call $is_number (call $tag (local.get $left)))
    (then (return (call $compare_numbers (local.get $left) (local.get $constant)))))
  (call $not_a_test (local.get $left)))

;; -1, 0 or 1 against a string that is too short to take steps, else the cell of a fault.
(func $order_text (param $left i32) (param $constant i32) (result i32)
  (if (i32.ne (call $tag (local.get $left)) (i32.const 6))
    (then (return (call $not_a_test (local.get $left)))))
  (call $compare_bytes (local.get $left) (local.get $constant)))

;; The truth of `<` for an order.
(func $is_less (param $order i32) (result i32)
  (if (i32.ge_s (local.get $order) (i32.const 8)) (then (return (local.get $order))))
  (call $bool (i32.eq (local.get $order) (i32.const -1))))

;; The truth of `<=` for an order.
(func $is_less_equal (param $order i32) (result i32)
  (if (i32.ge_s (local.get $order) (i32.const 8)) (then (return (local.get $order))))
  (call $bool (i32.le_s (local.get $order) (i32.const 0))))

;; The truth of `>` for an order.
(func $is_greater (param $order i32) (result i32)
  (if (i32.ge_s (local.get $order) (i32.const 8)) (then (return (local.get $order))))
  (call $bool (i32.eq (local.get $order) (i32.const 1))))

;; The truth of `>=` for an order.
(func $is_greater_equal (param $order i32) (result i32)
  (if (i32.ge_s (local.get $order) (i32.const 8)) (then (return (local.get $order))))
  (call $bool (i32.le_u (local.get $order) (i32.const 1))))
