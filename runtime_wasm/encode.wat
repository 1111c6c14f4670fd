;; Write a value as MessagePack (docs/abi.md A2.2): the answer of an expression module.

;; Writes a cell at `at`, below `end`; the address after it. Traps at the end.
(func $encode_value (param $cell i32) (param $at i32) (param $end i32) (result i32)
  (local $tag i32) (local $i i32) (local $count i32)
  (if (i32.gt_u (i32.add (local.get $at) (i32.const 32)) (local.get $end)) (then (unreachable)))
  (if (call $is_fault (local.get $cell))
    (then
      (i32.store8 (local.get $at) (i32.const 0xd4))
      (i32.store8 offset=1 (local.get $at) (i32.const 4))
      (i32.store8 offset=2 (local.get $at) (i32.shr_u (local.get $cell) (i32.const 4)))
      (return (i32.add (local.get $at) (i32.const 3)))))
  (local.set $tag (call $tag (local.get $cell)))
  (local.set $count (call $count (local.get $cell)))
  (if (i32.lt_u (local.get $tag) (i32.const 3))
    (then
      (i32.store8 (local.get $at)
        (select
          (i32.const 0xc0)
          (i32.sub (i32.const 0xc3) (i32.eq (local.get $cell) (i32.const 528)))
          (i32.eq (local.get $tag) (i32.const 1))))
      (return (i32.add (local.get $at) (i32.const 1)))))
  (if (i32.or (i32.eq (local.get $tag) (i32.const 3)) (i32.eq (local.get $tag) (i32.const 5)))
    (then
      (i32.store8 (local.get $at) (select (i32.const 0xd3) (i32.const 0xcb) (i32.eq (local.get $tag) (i32.const 3))))
      (call $store_big64 (i32.add (local.get $at) (i32.const 1)) (i64.load offset=8 (local.get $cell)))
      (return (i32.add (local.get $at) (i32.const 9)))))
  (if (i32.or (i32.eq (local.get $tag) (i32.const 4)) (i32.eq (local.get $tag) (i32.const 11)))
    (then
      (i32.store8 (local.get $at) (i32.const 0xd7))
      (i32.store8 offset=1 (local.get $at) (select (i32.const 1) (i32.const 2) (i32.eq (local.get $tag) (i32.const 4))))
      (call $store_big64 (i32.add (local.get $at) (i32.const 2)) (i64.load offset=8 (local.get $cell)))
      (return (i32.add (local.get $at) (i32.const 10)))))
  (if (i32.eq (local.get $tag) (i32.const 10))
    (then
      (i32.store8 (local.get $at) (i32.const 0xc7))
      (i32.store8 offset=1 (local.get $at) (i32.const 12))
      (i32.store8 offset=2 (local.get $at) (i32.const 6))
      (call $store_big32 (i32.add (local.get $at) (i32.const 3)) (local.get $count))
      (call $store_big64 (i32.add (local.get $at) (i32.const 7)) (i64.load offset=8 (local.get $cell)))
      (return (i32.add (local.get $at) (i32.const 15)))))
  ;; str 32, bin 32, ext 32, array 32, map 32: a marker, the length in four bytes, for ext the type.
  (call $store_big32 (i32.add (local.get $at) (i32.const 1)) (local.get $count))
  (if (i32.or (i32.lt_u (local.get $tag) (i32.const 8)) (i32.eq (local.get $tag) (i32.const 12)))
    (then
      (i32.store8 (local.get $at)
        (select
          (i32.const 0xdb)
          (select (i32.const 0xc6) (i32.const 0xc9) (i32.eq (local.get $tag) (i32.const 7)))
          (i32.eq (local.get $tag) (i32.const 6))))
      (local.set $at (i32.add (local.get $at) (i32.const 5)))
      (if (i32.eq (local.get $tag) (i32.const 12))
        (then
          (i32.store8 (local.get $at) (i32.const 3))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))))
      (if (i32.gt_u (local.get $count) (i32.sub (local.get $end) (local.get $at))) (then (unreachable)))
      (memory.copy (local.get $at) (call $address (local.get $cell)) (local.get $count))
      (return (i32.add (local.get $at) (local.get $count)))))
  (i32.store8 (local.get $at) (select (i32.const 0xdd) (i32.const 0xdf) (i32.eq (local.get $tag) (i32.const 8))))
  (local.set $at (i32.add (local.get $at) (i32.const 5)))
  (if (i32.eq (local.get $tag) (i32.const 9)) (then (local.set $count (i32.shl (local.get $count) (i32.const 1)))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $count)))
      (local.set $at
        (call $encode_value (call $element (local.get $cell) (local.get $i)) (local.get $at) (local.get $end)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (local.get $at))

;; Stores 32 bits big-endian.
(func $store_big32 (param $at i32) (param $value i32)
  (i32.store8 (local.get $at) (i32.shr_u (local.get $value) (i32.const 24)))
  (i32.store8 offset=1 (local.get $at) (i32.shr_u (local.get $value) (i32.const 16)))
  (i32.store8 offset=2 (local.get $at) (i32.shr_u (local.get $value) (i32.const 8)))
  (i32.store8 offset=3 (local.get $at) (local.get $value)))

;; Stores 64 bits big-endian.
(func $store_big64 (param $at i32) (param $value i64)
  (call $store_big32 (local.get $at) (i32.wrap_i64 (i64.shr_u (local.get $value) (i64.const 32))))
  (call $store_big32 (i32.add (local.get $at) (i32.const 4)) (i32.wrap_i64 (local.get $value))))
