;; Core: allocation, cells, budgets. docs/abi.md A4 and A5.

;; Bytes from the heap. size: bytes; result: a 16-byte aligned address. Traps past the end of the heap, which the
;; language's budgets make unreachable.
(func $alloc (param $size i32) (result i32)
  (local $address i32)
  (local.set $address (global.get $heap))
  (if (i32.gt_u (local.get $size) (i32.sub (global.get $heap_end) (local.get $address)))
    (then (unreachable)))
  (global.set $heap
    (i32.add (local.get $address)
      (i32.and (i32.add (local.get $size) (i32.const 15)) (i32.const -16))))
  (local.get $address))

;; A new cell. tag, aux, payload: its three fields; result: its address.
(func $new_cell (param $tag i32) (param $aux i32) (param $payload i64) (result i32)
  (local $cell i32)
  (local.set $cell (call $alloc (i32.const 16)))
  (i32.store (local.get $cell) (local.get $tag))
  (i32.store offset=4 (local.get $cell) (local.get $aux))
  (i64.store offset=8 (local.get $cell) (local.get $payload))
  (local.get $cell))

;; An int cell.
(func $new_int (param $value i64) (result i32)
  (call $new_cell (i32.const 3) (i32.const 0) (local.get $value)))

;; A uint cell.
(func $new_uint (param $value i64) (result i32)
  (call $new_cell (i32.const 4) (i32.const 0) (local.get $value)))

;; A double cell.
(func $new_double (param $value f64) (result i32)
  (call $new_cell (i32.const 5) (i32.const 0) (i64.reinterpret_f64 (local.get $value))))

;; A string cell over UTF-8 bytes that are in memory already; nothing is copied.
(func $new_string (param $text i32) (param $length i32) (result i32)
  (call $new_cell (i32.const 6) (local.get $length) (i64.extend_i32_u (local.get $text))))

;; A bytes cell over bytes that are in memory already; nothing is copied.
(func $new_bytes (param $data i32) (param $length i32) (result i32)
  (call $new_cell (i32.const 7) (local.get $length) (i64.extend_i32_u (local.get $data))))

;; A list cell with room for count elements. The elements' addresses (payload + 4 * i) are the caller's to store.
(func $new_list (param $count i32) (result i32)
  (call $new_cell (i32.const 8) (local.get $count)
    (i64.extend_i32_u (call $alloc (i32.shl (local.get $count) (i32.const 2))))))

;; A map cell with room for count entries. Keys (payload + 8 * i) and values (+ 4) are the caller's to store.
(func $new_map (param $count i32) (result i32)
  (call $new_cell (i32.const 9) (local.get $count)
    (i64.extend_i32_u (call $alloc (i32.shl (local.get $count) (i32.const 3))))))

;; A timestamp cell. seconds since the epoch, nanoseconds of the second 0 to 999999999; no range check.
(func $new_timestamp (param $seconds i64) (param $nanoseconds i32) (result i32)
  (call $new_cell (i32.const 10) (local.get $nanoseconds) (local.get $seconds)))

;; A duration cell of nanoseconds.
(func $new_duration (param $nanoseconds i64) (result i32)
  (call $new_cell (i32.const 11) (i32.const 0) (local.get $nanoseconds)))

;; The bool cell of a condition: any non-zero i32 is true.
(func $bool (param $condition i32) (result i32)
  (select (i32.const 544) (i32.const 528) (local.get $condition)))

;; The cell of a fault by its number (hexgate/faults.py).
(func $fault (param $number i32) (result i32)
  (i32.shl (local.get $number) (i32.const 4)))

;; Whether a cell is a fault.
(func $is_fault (param $cell i32) (result i32)
  (i32.lt_u (local.get $cell) (i32.const 512)))

;; The tag of a cell.
(func $tag (param $cell i32) (result i32)
  (i32.load (local.get $cell)))

;; The low half of a cell's payload: the address of a text, of an array, of a name.
(func $address (param $cell i32) (result i32)
  (i32.load offset=8 (local.get $cell)))

;; The aux field of a cell: length in bytes, count, nanoseconds.
(func $count (param $cell i32) (result i32)
  (i32.load offset=4 (local.get $cell)))

;; Of two operands of an operation that has no overload for them: the first fault among them, else
;; no_such_overload.
(func $no_overload (param $left i32) (param $right i32) (result i32)
  (if (call $is_fault (local.get $left)) (then (return (local.get $left))))
  (if (call $is_fault (local.get $right)) (then (return (local.get $right))))
  (i32.const 16))

;; Takes steps from the iteration budget (L2.9). Result: 1 to go on, 0 to stop and return the cell at $fatal.
(func $charge_steps (param $steps i32) (result i32)
  (if (global.get $fatal) (then (return (i32.const 0))))
  (if (i32.gt_u (local.get $steps) (global.get $steps))
    (then
      (global.set $fatal (i32.const 176))
      (return (i32.const 0))))
  (global.set $steps (i32.sub (global.get $steps) (local.get $steps)))
  (i32.const 1))

;; Takes bytes from the allocation budget (L2.10). Result: 1 to go on, 0 to stop and return the cell at $fatal.
(func $charge_bytes (param $bytes i32) (result i32)
  (if (global.get $fatal) (then (return (i32.const 0))))
  (if (i32.gt_u (local.get $bytes) (global.get $bytes))
    (then
      (global.set $fatal (i32.const 192))
      (return (i32.const 0))))
  (global.set $bytes (i32.sub (global.get $bytes) (local.get $bytes)))
  (i32.const 1))

;; Takes the steps of looking through a text (L2.9), a string or bytes: its length in bytes / 64. Result as $charge_steps.
(func $charge_scan (param $text i32) (result i32)
  (call $charge_steps (i32.shr_u (call $count (local.get $text)) (i32.const 6))))

;; Takes the steps of looking up a key (L2.9): none but for a long text. Result as $charge_steps.
(func $charge_key (param $key i32) (result i32)
  (if (i32.or (i32.ne (call $tag (local.get $key)) (i32.const 6)) (i32.lt_u (call $count (local.get $key)) (i32.const 64)))
    (then (return (i32.const 1))))
  (call $charge_scan (local.get $key)))
