;; The lists and sets libraries (docs/language.md L6.4, L6.5).

;; A list cell, or the fault in its place: 0 where it is a list.
(func $not_a_list (param $cell i32) (result i32)
  (if (i32.eq (call $tag (local.get $cell)) (i32.const 8)) (then (return (i32.const 0))))
  (call $not_a_test (local.get $cell)))

;; `distinct`.
(func $fn_distinct (param $list i32) (result i32)
  (local $fault i32) (local $size i32) (local $i i32) (local $kept i32) (local $element i32)
  (local.set $fault (call $not_a_list (local.get $list)))
  (if (local.get $fault) (then (return (local.get $fault))))
  (local.set $size (call $count (local.get $list)))
  (if (i32.eqz (call $charge_square (local.get $size) (local.get $size) (i32.const 1)))
    (then (return (global.get $fatal))))
  (local.set $kept (call $start_list (local.get $size)))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $size)))
      (local.set $element (call $element (local.get $list) (local.get $i)))
      (if (call $is_fault (local.get $element)) (then (return (local.get $element))))
      (local.set $fault (call $list_has (local.get $kept) (local.get $element)))
      (if (call $is_fault (local.get $fault)) (then (return (local.get $fault))))
      (if (i32.eq (local.get $fault) (i32.const 528))
        (then (call $append (local.get $kept) (local.get $element))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (call $end_list (local.get $kept)))

;; Takes first * second / 16, rounded down, times `times` steps. Sizes are below 2^16 but for lists built by a policy,
;; whose product is capped where it would not fit.
(func $charge_square (param $first i32) (param $second i32) (param $times i32) (result i32)
  (local $steps i64)
  (local.set $steps
    (i64.mul
      (i64.shr_u
        (i64.mul (i64.extend_i32_u (local.get $first)) (i64.extend_i32_u (local.get $second)))
        (i64.const 4))
      (i64.extend_i32_u (local.get $times))))
  (if (i64.gt_u (local.get $steps) (i64.const 0x7fffffff)) (then (local.set $steps (i64.const 0x7fffffff))))
  (call $charge_steps (i32.wrap_i64 (local.get $steps))))

;; `flatten()`.
(func $fn_flatten (param $list i32) (result i32)
  (call $fn_flatten_depth (local.get $list) (call $new_int (i64.const 1))))

;; `flatten(depth)`.
(func $fn_flatten_depth (param $list i32) (param $depth i32) (result i32)
  (local $levels i64) (local $made i32) (local $count i32)
  (if (i32.or
        (i32.ne (call $tag (local.get $list)) (i32.const 8))
        (i32.ne (call $tag (local.get $depth)) (i32.const 3)))
    (then (return (call $no_overload (local.get $list) (local.get $depth)))))
  (local.set $levels (i64.load offset=8 (local.get $depth)))
  (if (i64.lt_s (local.get $levels) (i64.const 0)) (then (return (i32.const 96))))
  (if (i64.gt_s (local.get $levels) (i64.const 1000)) (then (local.set $levels (i64.const 1000))))
  (if (i32.eqz
        (call $charge_steps
          (i32.shr_u
            (call $flat_visits (local.get $list) (i32.wrap_i64 (local.get $levels)) (i32.const 160016))
            (i32.const 4))))
    (then (return (global.get $fatal))))
  (local.set $count (call $flat_count (local.get $list) (i32.wrap_i64 (local.get $levels))))
  (if (i32.eqz (call $charge_bytes (i32.shl (local.get $count) (i32.const 4))))
    (then (return (global.get $fatal))))
  (local.set $made (call $start_list (local.get $count)))
  (call $flat_append (local.get $made) (local.get $list) (i32.wrap_i64 (local.get $levels)))
  (local.get $made))

;; How many elements are looked at when a list's lists are opened so many levels deep, those of the opened ones included;
;; not many beyond most, which no budget covers.
(func $flat_visits (param $list i32) (param $levels i32) (param $most i32) (result i32)
  (local $i i32) (local $visits i32) (local $element i32)
  (local.set $visits (call $count (local.get $list)))
  (if (i32.eqz (local.get $levels)) (then (return (local.get $visits))))
  (block $done
    (loop $next
      (br_if $done
        (i32.or
          (i32.gt_s (local.get $visits) (local.get $most))
          (i32.ge_u (local.get $i) (call $count (local.get $list)))))
      (local.set $element (call $element (local.get $list) (local.get $i)))
      (if (i32.eq (call $tag (local.get $element)) (i32.const 8))
        (then
          (local.set $visits
            (i32.add (local.get $visits)
              (call $flat_visits
                (local.get $element)
                (i32.sub (local.get $levels) (i32.const 1))
                (i32.sub (local.get $most) (local.get $visits)))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (local.get $visits))

;; How many elements a list has when its lists are opened so many levels deep.
(func $flat_count (param $list i32) (param $levels i32) (result i32)
  (local $i i32) (local $total i32) (local $element i32)
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (call $count (local.get $list))))
      (local.set $element (call $element (local.get $list) (local.get $i)))
      (local.set $total
        (i32.add (local.get $total)
          (if (result i32)
            (i32.and (i32.ne (local.get $levels) (i32.const 0)) (i32.eq (call $tag (local.get $element)) (i32.const 8)))
            (then (call $flat_count (local.get $element) (i32.sub (local.get $levels) (i32.const 1))))
            (else (i32.const 1)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (local.get $total))

;; Appends the elements of a list to another, opening its lists so many levels deep.
(func $flat_append (param $to i32) (param $list i32) (param $levels i32)
  (local $i i32) (local $element i32)
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (call $count (local.get $list))))
      (local.set $element (call $element (local.get $list) (local.get $i)))
      (if (i32.and (i32.ne (local.get $levels) (i32.const 0)) (i32.eq (call $tag (local.get $element)) (i32.const 8)))
        (then (call $flat_append (local.get $to) (local.get $element) (i32.sub (local.get $levels) (i32.const 1))))
        (else (call $append (local.get $to) (local.get $element))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next))))

;; `reverse` of a list or a string.
(func $fn_reverse (param $operand i32) (result i32)
  (local $made i32) (local $i i32)
  (if (i32.eq (call $tag (local.get $operand)) (i32.const 6))
    (then (return (call $text_reverse (local.get $operand)))))
  (local.set $i (call $not_a_list (local.get $operand)))
  (if (local.get $i) (then (return (local.get $i))))
  (local.set $i (call $count (local.get $operand)))
  (if (i32.eqz (call $charge_bytes (i32.shl (local.get $i) (i32.const 4))))
    (then (return (global.get $fatal))))
  (local.set $made (call $start_list (local.get $i)))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $i)))
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (call $append (local.get $made) (call $element (local.get $operand) (local.get $i)))
      (br $next)))
  (local.get $made))

;; `slice(start, end)`.
(func $fn_slice (param $list i32) (param $start i32) (param $end i32) (result i32)
  (local $made i32) (local $from i64) (local $to i64)
  (if (call $is_fault (local.get $list)) (then (return (local.get $list))))
  (if (i32.or
        (i32.ne (call $tag (local.get $start)) (i32.const 3))
        (i32.ne (call $tag (local.get $end)) (i32.const 3)))
    (then (return (call $no_overload (local.get $start) (local.get $end)))))
  (if (i32.ne (call $tag (local.get $list)) (i32.const 8)) (then (return (i32.const 16))))
  (local.set $from (i64.load offset=8 (local.get $start)))
  (local.set $to (i64.load offset=8 (local.get $end)))
  (if (i32.or
        (i64.gt_u (local.get $from) (local.get $to))
        (i64.gt_u (local.get $to) (i64.extend_i32_u (call $count (local.get $list)))))
    (then (return (i32.const 48))))
  (local.set $made
    (call $new_cell (i32.const 8)
      (i32.wrap_i64 (i64.sub (local.get $to) (local.get $from)))
      (i64.add
        (i64.load offset=8 (local.get $list))
        (i64.shl (local.get $from) (i64.const 2)))))
  (call $end_list (local.get $made)))

;; `sort`: every element must go with the first; then a stable merge sort between two arrays.
(func $fn_sort (param $list i32) (result i32)
  (local $size i32) (local $i i32) (local $order i32) (local $made i32) (local $mark i32)
  (local.set $i (call $not_a_list (local.get $list)))
  (if (local.get $i) (then (return (local.get $i))))
  (local.set $size (call $count (local.get $list)))
  (if (i32.eqz (call $charge_sort (local.get $list))) (then (return (global.get $fatal))))
  (block $checked
    (loop $next
      (br_if $checked (i32.ge_u (local.get $i) (local.get $size)))
      (local.set $order
        (call $order (call $element (local.get $list) (local.get $i)) (call $element (local.get $list) (i32.const 0))))
      (if (i32.ge_s (local.get $order) (i32.const 16)) (then (return (local.get $order))))
      (if (i32.eq (local.get $order) (i32.const 2)) (then (return (i32.const 16))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (if (i32.eqz (call $charge_bytes (i32.shl (local.get $size) (i32.const 4))))
    (then (return (global.get $fatal))))
  (local.set $made (call $new_list (local.get $size)))
  (memory.copy
    (call $address (local.get $made)) (call $address (local.get $list)) (i32.shl (local.get $size) (i32.const 2)))
  (local.set $mark (global.get $heap))
  (call $merge_sort
    (call $address (local.get $made)) (local.get $size) (call $alloc (i32.shl (local.get $size) (i32.const 2))))
  (global.set $heap (local.get $mark))
  (local.get $made))

;; Takes the steps of sorting a list (L2.9): its size, and those of looking through each of its texts. Result as
;; $charge_steps.
(func $charge_sort (param $list i32) (result i32)
  (local $i i32) (local $steps i32) (local $element i32)
  (local.set $steps (call $count (local.get $list)))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (call $count (local.get $list))))
      (local.set $element (call $element (local.get $list) (local.get $i)))
      (if (i32.eq (i32.or (call $tag (local.get $element)) (i32.const 1)) (i32.const 7))
        (then
          (local.set $steps
            (i32.add (local.get $steps) (i32.shr_u (call $count (local.get $element)) (i32.const 6))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (call $charge_steps (local.get $steps)))

;; Sorts an array of size cell addresses in place; spare: room for as many. All are ordered (see $fn_sort).
(func $merge_sort (param $array i32) (param $size i32) (param $spare i32)
  (local $half i32) (local $left i32) (local $middle i32) (local $right i32) (local $end i32) (local $to i32)
  (if (i32.lt_u (local.get $size) (i32.const 2)) (then (return)))
  (local.set $half (i32.shr_u (local.get $size) (i32.const 1)))
  (local.set $middle (i32.add (local.get $array) (i32.shl (local.get $half) (i32.const 2))))
  (call $merge_sort (local.get $array) (local.get $half) (local.get $spare))
  (call $merge_sort (local.get $middle) (i32.sub (local.get $size) (local.get $half)) (local.get $spare))
  (memory.copy (local.get $spare) (local.get $array) (i32.shl (local.get $half) (i32.const 2)))
  (local.set $left (local.get $spare))
  (local.set $end (i32.add (local.get $spare) (i32.shl (local.get $half) (i32.const 2))))
  (local.set $right (local.get $middle))
  (local.set $to (local.get $array))
  (block $merged
    (loop $next
      (br_if $merged (i32.ge_u (local.get $left) (local.get $end)))
      (if (call $precedes (local.get $right) (local.get $left)
            (i32.add (local.get $array) (i32.shl (local.get $size) (i32.const 2))))
        (then
          (i32.store (local.get $to) (i32.load (local.get $right)))
          (local.set $right (i32.add (local.get $right) (i32.const 4))))
        (else
          (i32.store (local.get $to) (i32.load (local.get $left)))
          (local.set $left (i32.add (local.get $left) (i32.const 4)))))
      (local.set $to (i32.add (local.get $to) (i32.const 4)))
      (br $next))))

;; Whether the cell that `right` points to is less than the one that `left` does; false from `end` on.
(func $precedes (param $right i32) (param $left i32) (param $end i32) (result i32)
  (if (i32.ge_u (local.get $right) (local.get $end)) (then (return (i32.const 0))))
  (i32.eq (call $exact_order (i32.load (local.get $right)) (i32.load (local.get $left))) (i32.const -1)))

;; As $order for what $fn_sort has checked, but numbers by their exact values: rounding an int to compare it with a
;; double is no order to sort by (L6.4).
(func $exact_order (param $left i32) (param $right i32) (result i32)
  (local $order i32) (local $tag i32) (local $other i32)
  (local.set $order (call $order (local.get $left) (local.get $right)))
  (local.set $tag (call $tag (local.get $left)))
  (local.set $other (call $tag (local.get $right)))
  (if (i32.or (local.get $order) (i32.eqz (call $is_number (local.get $tag))))
    (then (return (local.get $order))))
  (if (i32.eq (i32.eq (local.get $tag) (i32.const 5)) (i32.eq (local.get $other) (i32.const 5)))
    (then (return (local.get $order))))
  (if (i32.eq (local.get $tag) (i32.const 5))
    (then (return (i32.sub (i32.const 0)
      (call $integer_against_double (local.get $right) (f64.load offset=8 (local.get $left)))))))
  (call $integer_against_double (local.get $left) (f64.load offset=8 (local.get $right))))

;; -1, 0 or 1 of an int or uint cell and the double that it rounds to, by exact value. Such a double is an integer; only
;; 2^63 and 2^64 are beyond the types.
(func $integer_against_double (param $cell i32) (param $value f64) (result i32)
  (local $a i64) (local $b i64)
  (local.set $a (i64.load offset=8 (local.get $cell)))
  (if (i32.eq (call $tag (local.get $cell)) (i32.const 3))
    (then
      (if (f64.ge (local.get $value) (f64.const 9223372036854775808)) (then (return (i32.const -1))))
      (return (call $compare_signed (local.get $a) (i64.trunc_sat_f64_s (local.get $value))))))
  (if (f64.ge (local.get $value) (f64.const 18446744073709551616)) (then (return (i32.const -1))))
  (local.set $b (i64.trunc_sat_f64_u (local.get $value)))
  (i32.sub (i64.gt_u (local.get $a) (local.get $b)) (i64.lt_u (local.get $a) (local.get $b))))

;; `lists.range(count)`.
(func $fn_lists_range (param $count i32) (result i32)
  (local $size i64) (local $made i32) (local $i i32)
  (if (i32.ne (call $tag (local.get $count)) (i32.const 3))
    (then (return (call $not_a_test (local.get $count)))))
  (local.set $size (i64.load offset=8 (local.get $count)))
  (if (i64.lt_s (local.get $size) (i64.const 0)) (then (local.set $size (i64.const 0))))
  (if (i64.gt_s (local.get $size) (i64.const 0x7fffffff)) (then (local.set $size (i64.const 0x7fffffff))))
  (if (i32.eqz (call $charge_steps (i32.wrap_i64 (local.get $size)))) (then (return (global.get $fatal))))
  (if (i32.eqz (call $charge_bytes (i32.shl (i32.wrap_i64 (local.get $size)) (i32.const 4))))
    (then (return (global.get $fatal))))
  (local.set $made (call $start_list (i32.wrap_i64 (local.get $size))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (i32.wrap_i64 (local.get $size))))
      (call $append (local.get $made) (call $new_int (i64.extend_i32_u (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (local.get $made))

;; 0 for two lists whose comparison is charged, else the cell of the fault.
(func $start_sets (param $left i32) (param $right i32) (param $times i32) (result i32)
  (if (i32.or
        (i32.ne (call $tag (local.get $left)) (i32.const 8))
        (i32.ne (call $tag (local.get $right)) (i32.const 8)))
    (then (return (call $no_overload (local.get $left) (local.get $right)))))
  (if (call $charge_square (call $count (local.get $left)) (call $count (local.get $right)) (local.get $times))
    (then (return (i32.const 0))))
  (global.get $fatal))

;; Looks the elements of `inner` up in `outer`, in order; stops where the answer is `until` (true or false) or a fault.
(func $look_up (param $inner i32) (param $outer i32) (param $until i32) (result i32)
  (local $i i32) (local $found i32)
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (call $count (local.get $inner))))
      (local.set $found (call $list_has (local.get $outer) (call $element (local.get $inner) (local.get $i))))
      (if (i32.or (i32.eq (local.get $found) (local.get $until)) (call $is_fault (local.get $found)))
        (then (return (local.get $found))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (i32.sub (i32.const 1072) (local.get $until)))

;; `sets.contains(left, right)`.
(func $fn_sets_contains (param $left i32) (param $right i32) (result i32)
  (local $fault i32)
  (local.set $fault (call $start_sets (local.get $left) (local.get $right) (i32.const 1)))
  (if (local.get $fault) (then (return (local.get $fault))))
  (call $look_up (local.get $right) (local.get $left) (i32.const 528)))

;; `sets.equivalent(left, right)`.
(func $fn_sets_equivalent (param $left i32) (param $right i32) (result i32)
  (local $fault i32)
  (local.set $fault (call $start_sets (local.get $left) (local.get $right) (i32.const 2)))
  (if (local.get $fault) (then (return (local.get $fault))))
  (local.set $fault (call $look_up (local.get $right) (local.get $left) (i32.const 528)))
  (if (i32.ne (local.get $fault) (i32.const 544)) (then (return (local.get $fault))))
  (call $look_up (local.get $left) (local.get $right) (i32.const 528)))

;; `sets.intersects(left, right)`.
(func $fn_sets_intersects (param $left i32) (param $right i32) (result i32)
  (local $fault i32)
  (local.set $fault (call $start_sets (local.get $left) (local.get $right) (i32.const 1)))
  (if (local.get $fault) (then (return (local.get $fault))))
  (call $look_up (local.get $right) (local.get $left) (i32.const 544)))
