;; Members, elements, sizes, and what macros range over (docs/language.md L2, L3.4, L3.5).

;; `operand.field`. key: a string cell.
(func $select (param $operand i32) (param $key i32) (result i32)
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 9))
    (then (return (call $not_a_test (local.get $operand)))))
  (local.set $key (call $find_text_key (local.get $operand) (local.get $key)))
  (select (local.get $key) (i32.const 32) (local.get $key)))

;; `has(operand.field)`.
(func $has (param $operand i32) (param $key i32) (result i32)
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 9))
    (then (return (call $not_a_test (local.get $operand)))))
  (call $bool (call $find_text_key (local.get $operand) (local.get $key))))

;; $select where the key is long enough to take steps (L2.9).
(func $select_long (param $operand i32) (param $key i32) (result i32)
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 9))
    (then (return (call $not_a_test (local.get $operand)))))
  (if (i32.eqz (call $charge_scan (local.get $key))) (then (return (global.get $fatal))))
  (call $select (local.get $operand) (local.get $key)))

;; $has where the key is long enough to take steps.
(func $has_long (param $operand i32) (param $key i32) (result i32)
  (if (i32.ne (call $tag (local.get $operand)) (i32.const 9))
    (then (return (call $not_a_test (local.get $operand)))))
  (if (i32.eqz (call $charge_scan (local.get $key))) (then (return (global.get $fatal))))
  (call $has (local.get $operand) (local.get $key)))

;; The value cell of a map for a string cell, or 0. A map of eight entries or more has an index: its entries' addresses in
;; the order of $key_order.
(func $find_text_key (param $map i32) (param $key i32) (result i32)
  (local $entry i32) (local $end i32) (local $candidate i32)
  (if (i32.load offset=12 (local.get $map)) (then (return (call $search_index (local.get $map) (local.get $key)))))
  (local.set $entry (call $address (local.get $map)))
  (local.set $end (i32.add (local.get $entry) (i32.shl (call $count (local.get $map)) (i32.const 3))))
  (block $none
    (loop $next
      (br_if $none (i32.ge_u (local.get $entry) (local.get $end)))
      (local.set $candidate (i32.load (local.get $entry)))
      ;; Tag and length in one.
      (if (i64.eq (i64.load (local.get $candidate)) (i64.load (local.get $key)))
        (then
          (if (call $same_bytes
                (call $address (local.get $candidate)) (call $address (local.get $key)) (call $count (local.get $key)))
            (then (return (i32.load offset=4 (local.get $entry)))))))
      (local.set $entry (i32.add (local.get $entry) (i32.const 8)))
      (br $next)))
  (i32.const 0))

;; The value cell of a map with an index for a key cell, or 0: binary search.
(func $search_index (param $map i32) (param $key i32) (result i32)
  (local $low i32) (local $high i32) (local $middle i32) (local $entry i32) (local $order i32)
  (local.set $high (call $count (local.get $map)))
  (block $none
    (loop $next
      (br_if $none (i32.ge_u (local.get $low) (local.get $high)))
      (local.set $middle (i32.shr_u (i32.add (local.get $low) (local.get $high)) (i32.const 1)))
      (local.set $entry
        (i32.load
          (i32.add (i32.load offset=12 (local.get $map)) (i32.shl (local.get $middle) (i32.const 2)))))
      (local.set $order (call $key_order (local.get $key) (i32.load (local.get $entry))))
      (if (i32.eqz (local.get $order)) (then (return (i32.load offset=4 (local.get $entry)))))
      (if (i32.gt_s (local.get $order) (i32.const 0))
        (then (local.set $low (i32.add (local.get $middle) (i32.const 1))))
        (else (local.set $high (local.get $middle))))
      (br $next)))
  (i32.const 0))

;; The value cell of a map for a key of any type, or 0. A double finds the int or uint of the same value.
(func $map_find (param $map i32) (param $key i32) (result i32)
  (local $entry i32) (local $end i32) (local $tag i32)
  (local.set $tag (call $tag (local.get $key)))
  (if (i32.eq (local.get $tag) (i32.const 6))
    (then (return (call $find_text_key (local.get $map) (local.get $key)))))
  (if (i32.eq (local.get $tag) (i32.const 5))
    (then
      (local.set $key (call $integer_key (f64.load offset=8 (local.get $key))))
      (if (i32.eqz (local.get $key)) (then (return (i32.const 0))))
      (local.set $tag (i32.const 3))))
  (if (i32.eqz (i32.or (call $is_number (local.get $tag)) (i32.eq (local.get $tag) (i32.const 2))))
    (then (return (i32.const 0))))
  (if (i32.load offset=12 (local.get $map)) (then (return (call $search_index (local.get $map) (local.get $key)))))
  (local.set $entry (call $address (local.get $map)))
  (local.set $end (i32.add (local.get $entry) (i32.shl (call $count (local.get $map)) (i32.const 3))))
  (block $none
    (loop $next
      (br_if $none (i32.ge_u (local.get $entry) (local.get $end)))
      (if (call $same_key (i32.load (local.get $entry)) (local.get $key))
        (then (return (i32.load offset=4 (local.get $entry)))))
      (local.set $entry (i32.add (local.get $entry) (i32.const 8)))
      (br $next)))
  (i32.const 0))

;; The int or uint cell of a double without fraction, or 0.
(func $integer_key (param $value f64) (result i32)
  (if (f64.ne (f64.trunc (local.get $value)) (local.get $value)) (then (return (i32.const 0))))
  (if (i32.and
        (f64.ge (local.get $value) (f64.const -9223372036854775808))
        (f64.lt (local.get $value) (f64.const 9223372036854775808)))
    (then (return (call $new_int (i64.trunc_sat_f64_s (local.get $value))))))
  (if (i32.and
        (f64.ge (local.get $value) (f64.const 0))
        (f64.lt (local.get $value) (f64.const 18446744073709551616)))
    (then (return (call $new_uint (i64.trunc_sat_f64_u (local.get $value))))))
  (i32.const 0))

;; Whether two key cells (int, uint, bool or string) are the same key (L1.2).
(func $same_key (param $left i32) (param $right i32) (result i32)
  (local $tag i32) (local $other i32)
  (if (i32.eq (local.get $left) (local.get $right)) (then (return (i32.const 1))))
  (local.set $tag (call $tag (local.get $left)))
  (local.set $other (call $tag (local.get $right)))
  (if (i32.and (i32.eq (local.get $tag) (i32.const 6)) (i32.eq (local.get $other) (i32.const 6)))
    (then (return (call $same_text (local.get $left) (local.get $right)))))
  (if (i32.and (call $is_number (local.get $tag)) (call $is_number (local.get $other)))
    (then (return (i32.eqz (call $compare_numbers (local.get $left) (local.get $right))))))
  (i32.const 0))

;; `operand[at]`.
(func $fn_index (param $operand i32) (param $at i32) (result i32)
  (local $tag i32)
  (if (call $is_fault (local.get $operand)) (then (return (local.get $operand))))
  (if (call $is_fault (local.get $at)) (then (return (local.get $at))))
  (local.set $tag (call $tag (local.get $operand)))
  (if (i32.eq (local.get $tag) (i32.const 9))
    (then
      (if (i32.eqz (call $charge_key (local.get $at))) (then (return (global.get $fatal))))
      (local.set $at (call $map_find (local.get $operand) (local.get $at)))
      (return (select (local.get $at) (i32.const 32) (local.get $at)))))
  (if (i32.ne (local.get $tag) (i32.const 8)) (then (return (i32.const 16))))
  (local.set $tag (call $tag (local.get $at)))
  (if (i32.eqz (call $is_number (local.get $tag))) (then (return (i32.const 96))))
  (if (i32.eq (local.get $tag) (i32.const 5))
    (then
      (if (f64.ne (f64.trunc (f64.load offset=8 (local.get $at))) (f64.load offset=8 (local.get $at)))
        (then (return (i32.const 96))))
      ;; Infinite doubles have no fraction and are no number to index with either.
      (if (f64.ne (f64.sub (f64.load offset=8 (local.get $at)) (f64.load offset=8 (local.get $at))) (f64.const 0))
        (then (return (i32.const 96))))
      (local.set $at (call $integer_key (f64.load offset=8 (local.get $at))))
      (if (i32.eqz (local.get $at)) (then (return (i32.const 48))))))
  ;; A negative int is a large unsigned number.
  (if (i64.ge_u (i64.load offset=8 (local.get $at)) (i64.extend_i32_u (call $count (local.get $operand))))
    (then (return (i32.const 48))))
  (call $element (local.get $operand) (i32.wrap_i64 (i64.load offset=8 (local.get $at)))))

;; `element in within`.
(func $fn_in (param $element i32) (param $within i32) (result i32)
  (if (call $is_fault (local.get $element)) (then (return (local.get $element))))
  (if (call $is_fault (local.get $within)) (then (return (local.get $within))))
  (if (i32.eq (call $tag (local.get $within)) (i32.const 9))
    (then
      (if (i32.eqz (call $charge_key (local.get $element))) (then (return (global.get $fatal))))
      (return (call $bool (call $map_find (local.get $within) (local.get $element))))))
  (if (i32.ne (call $tag (local.get $within)) (i32.const 8)) (then (return (i32.const 16))))
  (if (i32.eqz (call $charge_steps (i32.shr_u (call $count (local.get $within)) (i32.const 4))))
    (then (return (global.get $fatal))))
  (call $list_has (local.get $within) (local.get $element)))

;; Whether an element of a list equals a cell: true, false, or the fault of the first faulty element before.
(func $list_has (param $list i32) (param $cell i32) (result i32)
  (local $i i32) (local $same i32)
  (block $none
    (loop $next
      (br_if $none (i32.ge_u (local.get $i) (call $count (local.get $list))))
      (local.set $same (call $equal_cells (local.get $cell) (call $element (local.get $list) (local.get $i))))
      (if (i32.ne (local.get $same) (i32.const 528)) (then (return (local.get $same))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (i32.const 528))

;; `size(operand)`.
(func $fn_size (param $operand i32) (result i32)
  (local $tag i32)
  (local.set $tag (call $tag (local.get $operand)))
  (if (i32.eq (local.get $tag) (i32.const 6))
    (then
      (if (i32.ge_u (call $count (local.get $operand)) (i32.const 1024))
        (then
          (if (i32.eqz (call $charge_steps (i32.shr_u (call $count (local.get $operand)) (i32.const 10))))
            (then (return (global.get $fatal))))))
      (return (call $new_int (i64.extend_i32_u
        (call $count_code_points (call $address (local.get $operand)) (call $count (local.get $operand))))))))
  (if (i32.lt_u (i32.sub (local.get $tag) (i32.const 7)) (i32.const 3))
    (then (return (call $new_int (i64.extend_i32_u (call $count (local.get $operand)))))))
  (call $not_a_test (local.get $operand)))

;; A list literal whose elements are stored: the first faulty one, else the list, charged.
(func $finish_list (param $list i32) (result i32)
  (local $i i32)
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (call $count (local.get $list))))
      (if (call $is_fault (call $element (local.get $list) (local.get $i)))
        (then (return (call $element (local.get $list) (local.get $i)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (call $end_list (local.get $list)))

;; A map whose entries are stored: the first faulty key or value, else the fault of its keys (L1.2), else the map, charged.
(func $finish_map (param $map i32) (result i32)
  (local $at i32) (local $end i32) (local $tag i32)
  (local.set $at (call $address (local.get $map)))
  (local.set $end (i32.add (local.get $at) (i32.shl (call $count (local.get $map)) (i32.const 3))))
  (block $sound
    (loop $next
      (br_if $sound (i32.ge_u (local.get $at) (local.get $end)))
      (if (call $is_fault (i32.load (local.get $at))) (then (return (i32.load (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br $next)))
  (local.set $at (call $address (local.get $map)))
  (block $typed
    (loop $next
      (br_if $typed (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $tag (call $tag (i32.load (local.get $at))))
      (if (i32.eqz
            (i32.or
              (i32.or (i32.eq (local.get $tag) (i32.const 6)) (i32.eq (local.get $tag) (i32.const 2)))
              (i32.or (i32.eq (local.get $tag) (i32.const 3)) (i32.eq (local.get $tag) (i32.const 4)))))
        (then (return (i32.const 16))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br $next)))
  (if (i32.eqz (call $charge_keys (local.get $map))) (then (return (global.get $fatal))))
  (if (call $index_entries (local.get $map)) (then (return (i32.const 112))))
  (if (call $charge_bytes (i32.shl (call $count (local.get $map)) (i32.const 5)))
    (then (return (local.get $map))))
  (global.get $fatal))

;; How many steps a macro over a cell takes, or -1 where it is neither list nor map.
(func $range_count (param $range i32) (result i32)
  (if (i32.or
        (i32.eq (call $tag (local.get $range)) (i32.const 8))
        (i32.eq (call $tag (local.get $range)) (i32.const 9)))
    (then (return (call $count (local.get $range)))))
  (i32.const -1))

;; Element i of a list, key i of a map.
(func $range_key (param $range i32) (param $i i32) (result i32)
  (i32.load
    (i32.add
      (call $address (local.get $range))
      (i32.shl (local.get $i) (i32.sub (call $tag (local.get $range)) (i32.const 6))))))

;; Element i of a list, value i of a map.
(func $range_value (param $range i32) (param $i i32) (result i32)
  (if (i32.eq (call $tag (local.get $range)) (i32.const 8))
    (then (return (call $element (local.get $range) (local.get $i)))))
  (i32.load offset=4
    (i32.add (call $address (local.get $range)) (i32.shl (local.get $i) (i32.const 3)))))
