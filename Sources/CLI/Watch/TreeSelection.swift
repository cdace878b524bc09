/// Which rows of a tree are shown where there is not room for all.
struct TreeSelection {
    /// One row.
    struct Row: Equatable {
        var node: Int
        var depth: Int
        /// Bits of the depths at which the tree goes on below the row.
        var rails: UInt64 = 0
    }

    private(set) var rows: [Row] = []
    /// Steps that run and have no row.
    private(set) var hiddenActive = 0

    private let board: TreeBoard
    private let limit: Int
    private var chosen: Set<Int> = []

    /// Takes what matters most first: failed steps, running ones, those that come next, those
    /// that ended last.
    init(_ board: TreeBoard, rows limit: Int, isOver: Bool = false) {
        self.board = board
        self.limit = max(0, limit)
        for step in board.failed.suffix(max(1, limit / 3)) { add(step) }
        let active = board.active.prefix(limit + 1)
        let room = board.active.count > limit ? 1 : 0
        for step in active { add(step, leaving: room) }
        hiddenActive = board.active.count - active.count { chosen.contains($0) }
        let waiting = board.waiting(atMost: limit)
        if !isOver { for step in waiting.prefix(3) { add(step, leaving: room) } }
        var recent = board.recent.suffix(TreeBoard.remembered).reversed().map(board.folded)
        recent = Array(recent.prefix(4 * limit))
        let share = (limit - chosen.count) / 2
        let before = chosen.count
        for node in recent where chosen.count - before < share || isOver {
            add(node, leaving: room)
        }
        if !isOver { for step in waiting { add(step, leaving: room) } }
        for node in recent { add(node, leaving: room) }
        arrange()
    }

    /// Adds a row and those of the groups around it, if there is room for all.
    private mutating func add(_ node: Int, leaving room: Int = 0) {
        if chosen.contains(node) || chosen.count >= limit { return }
        var new = [node]
        var next = Int(board.shape.parent[node])
        while next >= 0, !chosen.contains(next) {
            new.append(next)
            next = Int(board.shape.parent[next])
            if new.count > limit { return }
        }
        if chosen.count + new.count <= limit - room { chosen.formUnion(new) }
    }

    private mutating func arrange() {
        let shape = board.shape
        let order = chosen.sorted { shape.rank[$0] < shape.rank[$1] }
        rows.reserveCapacity(order.count)
        var depths: [Int: Int] = [:]
        for node in order {
            let above = Int(shape.parent[node])
            let depth = above < 0 ? 0 : (depths[above] ?? 0) + 1
            depths[node] = depth
            rows.append(Row(node: node, depth: depth))
        }
        // From the bottom up: which depths have another row below before a shallower one ends them.
        var open: UInt64 = 0
        for index in rows.indices.reversed() {
            let depth = min(rows[index].depth, 62)
            rows[index].rails = open & ((2 << UInt64(depth)) - 1)
            open = (open & ((1 << UInt64(depth)) - 1)) | (1 << UInt64(depth))
        }
    }
}
