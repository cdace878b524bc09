/// Finds many patterns at once in one pass (Aho and Corasick, 1975).
///
/// Nodes are numbered in order of breadth; node 0 is the root. A node has its children in a list of
/// siblings, or in a row of 256 where they are many.
final class PatternAutomaton: Sendable {
    private let label: [UInt8]
    private let child: [Int32]
    private let sibling: [Int32]
    /// The node of the longest proper suffix that is a beginning of a pattern.
    private let fallback: [Int32]
    private let depths: [Int32]
    /// The length of the longest pattern that ends at a node; 0 for none.
    private let longest: [Int32]
    /// Where a node's row begins in `rows`, or -1.
    private let row: [Int32]
    private let rows: [Int32]
    /// The pairs of bytes that patterns begin with, as a set of bits.
    private let pairs: [UInt64]

    /// A node with more children has a row.
    private static let mostSiblings = 6

    /// - Parameter patterns: each at least two bytes.
    init(_ patterns: some Collection<[UInt8]>) {
        var trie = Trie()
        for pattern in patterns { trie.insert(pattern) }
        let links = trie.links()
        var pairs = [UInt64](repeating: 0, count: 1024)
        for pattern in patterns {
            let pair = Int(pattern[0]) << 8 | Int(pattern[1])
            pairs[pair >> 6] |= 1 << UInt64(pair & 63)
        }
        self.pairs = pairs
        label = trie.label
        child = trie.child
        sibling = trie.sibling
        depths = trie.depth
        row = trie.row
        rows = trie.rows
        fallback = links.fallback
        longest = links.longest
    }

    /// How many of the last bytes may be the beginning of a pattern.
    func depth(_ state: Int32) -> Int { Int(depths[Int(state)]) }

    /// Goes over a chunk, and tells for each place where patterns end the longest of them.
    func scan(
        _ chunk: UnsafeRawBufferPointer, from start: Int32,
        found: (_ end: Int, _ length: Int) -> Void
    ) -> Int32 {
        var state = start
        var position = 0
        let last = chunk.count - 1
        pairs.withUnsafeBufferPointer { pairs in
            longest.withUnsafeBufferPointer { longest in
                while position <= last {
                    if state == 0 {
                        while position < last {
                            let pair = Int(chunk[position]) << 8 | Int(chunk[position + 1])
                            if pairs[pair >> 6] >> UInt64(pair & 63) & 1 != 0 { break }
                            position += 1
                        }
                    }
                    state = step(state, chunk[position])
                    position += 1
                    let length = longest[Int(state)]
                    if length > 0 { found(position, Int(length)) }
                }
            }
        }
        return state
    }

    private func step(_ state: Int32, _ byte: UInt8) -> Int32 {
        var state = state
        while true {
            let next = child(of: state, byte)
            if next > 0 { return next }
            if state == 0 { return 0 }
            state = fallback[Int(state)]
        }
    }

    private func child(of state: Int32, _ byte: UInt8) -> Int32 {
        let start = row[Int(state)]
        if start >= 0 { return rows[Int(start) + Int(byte)] }
        var node = child[Int(state)]
        while node > 0, label[Int(node)] != byte { node = sibling[Int(node)] }
        return node
    }

    /// The patterns as a tree, while it grows.
    private struct Trie {
        var label: [UInt8] = [0]
        var child: [Int32] = [0]
        var sibling: [Int32] = [0]
        var depth: [Int32] = [0]
        var row: [Int32] = [0]
        var rows = [Int32](repeating: 0, count: 256)
        private var children: [Int32] = [0]
        private var ends: [Bool] = [false]

        init() {}

        mutating func insert(_ pattern: [UInt8]) {
            var node: Int32 = 0
            for byte in pattern {
                let known = find(node, byte)
                node = known > 0 ? known : grow(node, byte)
            }
            ends[Int(node)] = true
        }

        func find(_ node: Int32, _ byte: UInt8) -> Int32 {
            let start = row[Int(node)]
            if start >= 0 { return rows[Int(start) + Int(byte)] }
            var next = child[Int(node)]
            while next > 0, label[Int(next)] != byte { next = sibling[Int(next)] }
            return next
        }

        private mutating func grow(_ node: Int32, _ byte: UInt8) -> Int32 {
            let made = Int32(label.count)
            label.append(byte)
            child.append(0)
            sibling.append(child[Int(node)])
            child[Int(node)] = made
            depth.append(depth[Int(node)] + 1)
            row.append(-1)
            children.append(0)
            ends.append(false)
            children[Int(node)] += 1
            if row[Int(node)] >= 0 {
                rows[Int(row[Int(node)]) + Int(byte)] = made
            } else if Int(children[Int(node)]) > PatternAutomaton.mostSiblings {
                spread(node)
            }
            return made
        }

        private mutating func spread(_ node: Int32) {
            let start = rows.count
            row[Int(node)] = Int32(start)
            rows.append(contentsOf: repeatElement(0, count: 256))
            var next = child[Int(node)]
            while next > 0 {
                rows[start + Int(label[Int(next)])] = next
                next = sibling[Int(next)]
            }
        }

        /// Where to go on when a node has no child for a byte, and which pattern ends at each node.
        func links() -> (fallback: [Int32], longest: [Int32]) {
            var fallback = [Int32](repeating: 0, count: label.count)
            var longest = [Int32](repeating: 0, count: label.count)
            var queue: [Int32] = [0]
            queue.reserveCapacity(label.count)
            var taken = 0
            while taken < queue.count {
                let node = queue[taken]
                taken += 1
                var next = child[Int(node)]
                while next > 0 {
                    let byte = label[Int(next)]
                    if node != 0 {
                        var suffix = fallback[Int(node)]
                        var target = find(suffix, byte)
                        while target == 0, suffix != 0 {
                            suffix = fallback[Int(suffix)]
                            target = find(suffix, byte)
                        }
                        fallback[Int(next)] = target
                    }
                    longest[Int(next)] =
                        ends[Int(next)] ? depth[Int(next)] : longest[Int(fallback[Int(next)])]
                    queue.append(next)
                    next = sibling[Int(next)]
                }
            }
            return (fallback, longest)
        }
    }
}
