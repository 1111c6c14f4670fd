;; From names to entries. The tables are the compiler's (hexgate/compiler/emit.py).

;; The index of a name in a hash table (hexgate/compiler/data_segment.py, name_table), or -1.
;; table: its header; name: a string cell.
(func $find_name (param $table i32) (param $name i32) (result i32)
  (local $text i32) (local $length i32) (local $hash i32) (local $mask i32) (local $record i32)
  (local.set $text (call $address (local.get $name)))
  (local.set $length (call $count (local.get $name)))
  (local.set $hash (call $hash (local.get $text) (local.get $length)))
  (local.set $mask (i32.load (local.get $table)))
  (loop $probe
    (local.set $hash (i32.and (local.get $hash) (local.get $mask)))
    (local.set $record
      (i32.load offset=4 (i32.add (local.get $table) (i32.shl (local.get $hash) (i32.const 2)))))
    (if (i32.eqz (local.get $record)) (then (return (i32.const -1))))
    (if (i32.eq (i32.load (local.get $record)) (local.get $length))
      (then
        (if (call $same_bytes (i32.add (local.get $record) (i32.const 8)) (local.get $text) (local.get $length))
          (then (return (i32.load offset=4 (local.get $record)))))))
    (local.set $hash (i32.add (local.get $hash) (i32.const 1)))
    (br $probe))
  (unreachable))

;; Whether a cell is a string that is not empty.
(func $is_name (param $cell i32) (result i32)
  (i32.and (i32.eq (call $tag (local.get $cell)) (i32.const 6)) (i32.ne (call $count (local.get $cell)) (i32.const 0))))

;; The 32-bit FNV-1a hash of bytes (Fowler, Noll, Vo).
(func $hash (param $text i32) (param $length i32) (result i32)
  (local $end i32) (local $hash i32)
  (local.set $hash (i32.const 0x811c9dc5))
  (local.set $end (i32.add (local.get $text) (local.get $length)))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $text) (local.get $end)))
      (local.set $hash
        (i32.mul (i32.xor (local.get $hash) (i32.load8_u (local.get $text))) (i32.const 0x01000193)))
      (local.set $text (i32.add (local.get $text) (i32.const 1)))
      (br $next)))
  (local.get $hash))

;; Whether two stretches of memory of one length hold the same bytes, eight at a time. The heap does not fill: memory goes on
;; behind every text.
(func $same_bytes (param $left i32) (param $right i32) (param $length i32) (result i32)
  (loop $next
    ;; What is beyond the end is shifted out, in two shifts: one by 64 shifts nothing.
    (if (i32.lt_s (local.get $length) (i32.const 8))
      (then
        (return
          (i64.eqz
            (i64.shl
              (i64.shl (i64.xor (i64.load (local.get $left)) (i64.load (local.get $right))) (i64.const 8))
              (i64.extend_i32_u (i32.sub (i32.const 56) (i32.shl (local.get $length) (i32.const 3)))))))))
    (if (i64.ne (i64.load (local.get $left)) (i64.load (local.get $right))) (then (return (i32.const 0))))
    (local.set $left (i32.add (local.get $left) (i32.const 8)))
    (local.set $right (i32.add (local.get $right) (i32.const 8)))
    (local.set $length (i32.sub (local.get $length) (i32.const 8)))
    (br $next))
  (unreachable))

;; The entry number for a tool name, a string cell, that no role names exactly, or 0. row: the address of a role's patterns:
;; i32 count, then per pattern i32 address, i32 length, i32 entry, in the order to try; then the default's i32 entry.
(func $find_pattern (param $row i32) (param $name i32) (result i32)
  (local $left i32)
  (local.set $left (i32.load (local.get $row)))
  (local.set $row (i32.add (local.get $row) (i32.const 4)))
  (block $none
    (loop $next
      (br_if $none (i32.eqz (local.get $left)))
      (if (call $covers
            (i32.load (local.get $row)) (i32.load offset=4 (local.get $row))
            (call $address (local.get $name)) (call $count (local.get $name)))
        (then (return (i32.load offset=8 (local.get $row)))))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (local.set $row (i32.add (local.get $row) (i32.const 12)))
      (br $next)))
  (i32.load (local.get $row)))

;; The outcome of an entry: of the first rule whose constraints are all true, else of what was noted last. entry: an odd number, 1 +
;; twice the outcome of a rule without constraints; or the address of: i32 number of rules, i32 outcome where none holds and
;; nothing is noted (-1: no opinion), the rules. Rule: i32 number of constraints, i32 outcome where it
;; holds, the constraints. Constraint: i32 function, i32 address of its constants, i32 outcome to note before it is asked (0:
;; none; so that what was noted last is that of the false one), i32 outcome of a fault.
(func $run_entry (param $entry i32) (result i32)
  (local $rules i32) (local $left i32) (local $held i32) (local $outcome i32) (local $judged i32)
  (if (i32.and (local.get $entry) (i32.const 1)) (then (return (i32.shr_u (local.get $entry) (i32.const 1)))))
  (local.set $rules (i32.load (local.get $entry)))
  (local.set $outcome (i32.load offset=4 (local.get $entry)))
  (loop $rule
    (local.set $left (i32.load offset=8 (local.get $entry)))
    (local.set $held (i32.load offset=12 (local.get $entry)))
    (block $false
      (loop $constraint
        (if (i32.eqz (local.get $left)) (then (return (local.get $held))))
        (if (local.tee $judged (i32.load offset=24 (local.get $entry)))
          (then (local.set $outcome (local.get $judged))))
        (local.set $judged
          (call $judge
            (call_indirect (type $constraint)
              (i32.load offset=20 (local.get $entry)) (i32.load offset=16 (local.get $entry)))
            (i32.load offset=28 (local.get $entry))))
        (br_if $false (i32.eq (local.get $judged) (i32.const 1)))
        (if (local.get $judged) (then (return (local.get $judged))))
        (local.set $entry (i32.add (local.get $entry) (i32.const 16)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $constraint)))
    (local.set $entry
      (i32.add (i32.add (local.get $entry) (i32.const 8)) (i32.shl (local.get $left) (i32.const 4))))
    (br_if $rule (local.tee $rules (i32.sub (local.get $rules) (i32.const 1)))))
  (local.get $outcome))

;; Whether a pattern, in which `*` stands for any run of bytes, covers a name: greedy with one point of return.
(func $covers (param $pattern i32) (param $pattern_length i32) (param $text i32) (param $length i32) (result i32)
  (local $p i32) (local $t i32) (local $star i32) (local $resume i32) (local $byte i32)
  (local.set $star (i32.const -1))
  (block $spent
    (loop $next
      (br_if $spent (i32.ge_u (local.get $t) (local.get $length)))
      (if (i32.lt_u (local.get $p) (local.get $pattern_length))
        (then
          (local.set $byte (i32.load8_u (i32.add (local.get $pattern) (local.get $p))))
          (if (i32.eq (local.get $byte) (i32.const 42))
            (then
              (local.set $star (local.get $p))
              (local.set $resume (local.get $t))
              (local.set $p (i32.add (local.get $p) (i32.const 1)))
              (br $next)))
          (if (i32.eq (local.get $byte) (i32.load8_u (i32.add (local.get $text) (local.get $t))))
            (then
              (local.set $p (i32.add (local.get $p) (i32.const 1)))
              (local.set $t (i32.add (local.get $t) (i32.const 1)))
              (br $next)))))
      (if (i32.lt_s (local.get $star) (i32.const 0)) (then (return (i32.const 0))))
      (local.set $resume (i32.add (local.get $resume) (i32.const 1)))
      (local.set $t (local.get $resume))
      (local.set $p (i32.add (local.get $star) (i32.const 1)))
      (br $next)))
  (block $rest
    (loop $next
      (br_if $rest (i32.ge_u (local.get $p) (local.get $pattern_length)))
      (if (i32.ne (i32.load8_u (i32.add (local.get $pattern) (local.get $p))) (i32.const 42))
        (then (return (i32.const 0))))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (br $next)))
  (i32.const 1))
