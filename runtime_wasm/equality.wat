;; Equality (docs/language.md L3.1).

;; `left == right`.
(func $fn_equal (param $left i32) (param $right i32) (result i32)
  (if (call $is_fault (local.get $left)) (then (return (local.get $left))))
  (if (call $is_fault (local.get $right)) (then (return (local.get $right))))
  (call $equal_cells (local.get $left) (local.get $right)))

;; `left != right`.
(func $fn_not_equal (param $left i32) (param $right i32) (result i32)
  (call $opposite (call $fn_equal (local.get $left) (local.get $right))))

;; true, false, or the fault of an unsupported value inside.
(func $equal_cells (param $left i32) (param $right i32) (result i32)
  (local $tag i32) (local $other i32)
  (if (call $is_fault (local.get $left)) (then (return (local.get $left))))
  (if (call $is_fault (local.get $right)) (then (return (local.get $right))))
  (local.set $tag (call $tag (local.get $left)))
  (local.set $other (call $tag (local.get $right)))
  (if (i32.ne (local.get $tag) (local.get $other))
    (then
      (if (i32.and (call $is_number (local.get $tag)) (call $is_number (local.get $other)))
        (then (return (call $bool
          (i32.eqz (call $compare_numbers (local.get $left) (local.get $right)))))))
      (return (i32.const 528))))
  (if (i32.eq (local.get $tag) (i32.const 5))
    (then (return (call $bool
      (f64.eq (f64.load offset=8 (local.get $left)) (f64.load offset=8 (local.get $right)))))))
  (if (i32.eq (local.get $tag) (i32.const 8))
    (then (return (call $equal_lists (local.get $left) (local.get $right)))))
  (if (i32.eq (local.get $tag) (i32.const 9))
    (then (return (call $equal_maps (local.get $left) (local.get $right)))))
  (if (i32.or
        (i32.or (i32.eq (local.get $tag) (i32.const 6)) (i32.eq (local.get $tag) (i32.const 7)))
        (i32.eq (local.get $tag) (i32.const 12)))
    (then (return (call $equal_texts (local.get $left) (local.get $right)))))
  (call $bool
    (i32.and
      (i32.eq (call $count (local.get $left)) (call $count (local.get $right)))
      (i64.eq (i64.load offset=8 (local.get $left)) (i64.load offset=8 (local.get $right))))))

;; Whether a tag is that of an int, uint or double.
(func $is_number (param $tag i32) (result i32)
  (i32.lt_u (i32.sub (local.get $tag) (i32.const 3)) (i32.const 3)))

;; Element by element; the first that is unequal or faulty decides.
(func $equal_lists (param $left i32) (param $right i32) (result i32)
  (local $i i32) (local $size i32) (local $same i32)
  (local.set $size (call $count (local.get $left)))
  (if (i32.ne (local.get $size) (call $count (local.get $right))) (then (return (i32.const 528))))
  (if (i32.eqz (call $charge_steps (i32.add (i32.shr_u (local.get $size) (i32.const 4)) (i32.const 1))))
    (then (return (global.get $fatal))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $size)))
      (local.set $same
        (call $equal_cells
          (call $element (local.get $left) (local.get $i))
          (call $element (local.get $right) (local.get $i))))
      (if (i32.ne (local.get $same) (i32.const 544)) (then (return (local.get $same))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (i32.const 544))

;; Of two cells of one tag with a text: charged where they are of one length (L2.9).
(func $equal_texts (param $left i32) (param $right i32) (result i32)
  (if (i32.ne (call $count (local.get $left)) (call $count (local.get $right))) (then (return (i32.const 528))))
  (if (i32.eqz (call $charge_scan (local.get $left))) (then (return (global.get $fatal))))
  (call $bool (call $same_text (local.get $left) (local.get $right))))

;; Entry by entry in the left one's order; a key that the right one lacks, or an unequal or faulty value, decides. Maps
;; mostly have equal keys at equal places, so a key is looked up only where the right one has another there.
(func $equal_maps (param $left i32) (param $right i32) (result i32)
  (local $i i32) (local $size i32) (local $same i32) (local $entry i32) (local $across i32)
  (local.set $size (call $count (local.get $left)))
  (if (i32.ne (local.get $size) (call $count (local.get $right))) (then (return (i32.const 528))))
  (if (i32.eqz (call $charge_steps (i32.add (i32.shr_u (local.get $size) (i32.const 4)) (i32.const 1))))
    (then (return (global.get $fatal))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $size)))
      (local.set $entry
        (i32.add (call $address (local.get $left)) (i32.shl (local.get $i) (i32.const 3))))
      (local.set $across
        (i32.add (call $address (local.get $right)) (i32.shl (local.get $i) (i32.const 3))))
      (if (i32.eqz (call $charge_key (i32.load (local.get $entry)))) (then (return (global.get $fatal))))
      (local.set $same
        (if (result i32) (call $same_key (i32.load (local.get $entry)) (i32.load (local.get $across)))
          (then (i32.load offset=4 (local.get $across)))
          (else (call $map_find (local.get $right) (i32.load (local.get $entry))))))
      (if (i32.eqz (local.get $same)) (then (return (i32.const 528))))
      (local.set $same (call $equal_cells (i32.load offset=4 (local.get $entry)) (local.get $same)))
      (if (i32.ne (local.get $same) (i32.const 544)) (then (return (local.get $same))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (i32.const 544))

;; Element i of a list; i is within it.
(func $element (param $list i32) (param $i i32) (result i32)
  (i32.load (i32.add (call $address (local.get $list)) (i32.shl (local.get $i) (i32.const 2)))))
