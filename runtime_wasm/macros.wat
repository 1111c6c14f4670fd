;; What emitted code calls around operands: logic, literals, macros, and the end of a constraint.

;; `left && right` where left is not false (L2.3): false if right is, else the first that is not true.
(func $and_join (param $left i32) (param $right i32) (result i32)
  (if (i32.eq (local.get $right) (i32.const 528)) (then (return (i32.const 528))))
  (if (i32.ne (local.get $left) (i32.const 544)) (then (return (call $not_a_test (local.get $left)))))
  (if (i32.ne (local.get $right) (i32.const 544)) (then (return (call $not_a_test (local.get $right)))))
  (i32.const 544))

;; `left || right` where left is not true (L2.3): true if right is, else the first that is not false.
(func $or_join (param $left i32) (param $right i32) (result i32)
  (if (i32.eq (local.get $right) (i32.const 544)) (then (return (i32.const 544))))
  (if (i32.ne (local.get $left) (i32.const 528)) (then (return (call $not_a_test (local.get $left)))))
  (if (i32.ne (local.get $right) (i32.const 528)) (then (return (call $not_a_test (local.get $right)))))
  (i32.const 528))

;; The fault of a cell that stands where a bool, a list or a map must: itself if it is a fault, else
;; no_such_overload.
(func $not_a_test (param $cell i32) (result i32)
  (select (local.get $cell) (i32.const 16) (call $is_fault (local.get $cell))))

;; A literal that is a constant cell: charged like one that is built (L2.10).
(func $charged_literal (param $cell i32) (param $bytes i32) (result i32)
  (if (call $charge_bytes (local.get $bytes)) (then (return (local.get $cell))))
  (global.get $fatal))

;; A list cell with room for limit elements and none yet.
(func $start_list (param $limit i32) (result i32)
  (local $list i32)
  (local.set $list (call $new_list (local.get $limit)))
  (i32.store offset=4 (local.get $list) (i32.const 0))
  (local.get $list))

;; A map cell with room for limit entries and none yet.
(func $start_map (param $limit i32) (result i32)
  (local $map i32)
  (local.set $map (call $new_map (local.get $limit)))
  (i32.store offset=4 (local.get $map) (i32.const 0))
  (local.get $map))

;; Puts an element at the end of a list from $start_list.
(func $append (param $list i32) (param $element i32)
  (local $count i32)
  (local.set $count (call $count (local.get $list)))
  (i32.store
    (i32.add (call $address (local.get $list)) (i32.shl (local.get $count) (i32.const 2)))
    (local.get $element))
  (i32.store offset=4 (local.get $list) (i32.add (local.get $count) (i32.const 1))))

;; Puts an entry at the end of a map from $start_map.
(func $append_entry (param $map i32) (param $key i32) (param $value i32)
  (local $count i32) (local $entry i32)
  (local.set $count (call $count (local.get $map)))
  (local.set $entry
    (i32.add (call $address (local.get $map)) (i32.shl (local.get $count) (i32.const 3))))
  (i32.store (local.get $entry) (local.get $key))
  (i32.store offset=4 (local.get $entry) (local.get $value))
  (i32.store offset=4 (local.get $map) (i32.add (local.get $count) (i32.const 1))))

;; A finished list of a macro: charges it (L2.10).
(func $end_list (param $list i32) (result i32)
  (if (call $charge_bytes (i32.shl (call $count (local.get $list)) (i32.const 4)))
    (then (return (local.get $list))))
  (global.get $fatal))

;; A finished map of a macro: charges it (L2.9, L2.10). Its keys are those of a map or of positions, so they differ.
(func $end_map (param $map i32) (result i32)
  (if (i32.eqz
        (i32.and
          (call $charge_keys (local.get $map))
          (call $charge_bytes (i32.shl (call $count (local.get $map)) (i32.const 5)))))
    (then (return (global.get $fatal))))
  (drop (call $index_entries (local.get $map)))
  (local.get $map))

;; Takes the steps of putting the keys of a map in order (L2.9): those of looking through its texts. Result as
;; $charge_steps.
(func $charge_keys (param $map i32) (result i32)
  (local $at i32) (local $end i32) (local $steps i32)
  (local.set $at (call $address (local.get $map)))
  (local.set $end (i32.add (local.get $at) (i32.shl (call $count (local.get $map)) (i32.const 3))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (if (i32.eq (call $tag (i32.load (local.get $at))) (i32.const 6))
        (then
          (local.set $steps
            (i32.add (local.get $steps) (i32.shr_u (call $count (i32.load (local.get $at))) (i32.const 6))))))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br $next)))
  (call $charge_steps (local.get $steps)))

;; The map of all entries of a list of maps, in order: transformMapEntry (L2.6).
(func $join_maps (param $list i32) (result i32)
  (local $i i32) (local $total i32) (local $map i32) (local $joined i32) (local $to i32) (local $bytes i32)
  (block $counted
    (loop $next
      (br_if $counted (i32.ge_u (local.get $i) (call $count (local.get $list))))
      (local.set $map (call $range_key (local.get $list) (local.get $i)))
      (if (i32.ne (call $tag (local.get $map)) (i32.const 9)) (then (return (i32.const 16))))
      (local.set $total (i32.add (local.get $total) (call $count (local.get $map))))
      (if (i32.gt_u (local.get $total) (i32.const 32768)) (then (local.set $total (i32.const 32768))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (if (i32.eqz
        (i32.and
          (call $charge_steps (i32.shr_u (i32.mul (local.get $total) (local.get $total)) (i32.const 4)))
          (call $charge_bytes (i32.shl (local.get $total) (i32.const 5)))))
    (then (return (global.get $fatal))))
  (local.set $joined (call $new_map (local.get $total)))
  (local.set $to (call $address (local.get $joined)))
  (local.set $i (i32.const 0))
  (block $copied
    (loop $next
      (br_if $copied (i32.ge_u (local.get $i) (call $count (local.get $list))))
      (local.set $map (call $range_key (local.get $list) (local.get $i)))
      (local.set $bytes (i32.shl (call $count (local.get $map)) (i32.const 3)))
      (memory.copy (local.get $to) (call $address (local.get $map)) (local.get $bytes))
      (local.set $to (i32.add (local.get $to) (local.get $bytes)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (if (i32.eqz (call $charge_keys (local.get $joined))) (then (return (global.get $fatal))))
  (select (i32.const 112) (local.get $joined) (call $index_entries (local.get $joined))))

;; The first variable of a two-variable macro at step i: the position in a list, the key of a map.
(func $range_index (param $range i32) (param $i i32) (result i32)
  (if (i32.eq (call $tag (local.get $range)) (i32.const 8))
    (then (return (call $new_int (i64.extend_i32_u (local.get $i))))))
  (call $range_key (local.get $range) (local.get $i)))

;; The map that the root `user` is when it is used whole: three keys and their values.
(func $user_map
  (param $key0 i32) (param $value0 i32) (param $key1 i32) (param $value1 i32) (param $key2 i32) (param $value2 i32)
  (result i32)
  (local $map i32)
  (local.set $map (call $start_map (i32.const 3)))
  (call $append_entry (local.get $map) (local.get $key0) (local.get $value0))
  (call $append_entry (local.get $map) (local.get $key1) (local.get $value1))
  (call $append_entry (local.get $map) (local.get $key2) (local.get $value2))
  (local.get $map))

;; Whether a string matches the automaton at table (L5.2).
(func $matches (param $text i32) (param $table i32) (result i32)
  (if (i32.ne (call $tag (local.get $text)) (i32.const 6)) (then (return (call $not_a_test (local.get $text)))))
  (if (i32.eqz (call $charge_scan (local.get $text))) (then (return (global.get $fatal))))
  (call $bool
    (call $regex_search (local.get $table) (call $address (local.get $text)) (call $count (local.get $text)))))

;; The end of a constraint: true, false or a fault for its cell, and fresh budgets for the next one (L2.8, L2.11).
(func $settle (param $cell i32) (result i32)
  (if (global.get $fatal) (then (local.set $cell (global.get $fatal))))
  (global.set $steps (i32.const 10000))
  (global.set $bytes (i32.const 1048576))
  (global.set $fatal (i32.const 0))
  (global.set $heap (global.get $base))
  (if (i32.or
        (i32.lt_u (local.get $cell) (i32.const 512))
        (i32.or (i32.eq (local.get $cell) (i32.const 528)) (i32.eq (local.get $cell) (i32.const 544))))
    (then (return (local.get $cell))))
  (i32.const 144))

;; What a constraint's cell means for its rule: 0 true, 1 false, else the answer that a fault gives (docs/abi.md A3.1):
;; outcome + 2^24 * fault.
(func $judge (param $cell i32) (param $outcome i32) (result i32)
  (local.set $cell (call $settle (local.get $cell)))
  (if (i32.eq (local.get $cell) (i32.const 544)) (then (return (i32.const 0))))
  (if (i32.eq (local.get $cell) (i32.const 528)) (then (return (i32.const 1))))
  (i32.or (local.get $outcome) (i32.shl (i32.shr_u (local.get $cell) (i32.const 4)) (i32.const 24))))
