/// Steps that wait for room, the one to start first in front: a binary heap.
struct ReadyQueue: Sendable, Equatable {
    private(set) var steps: [Int32] = []

    var first: Int32? { steps.first }

    mutating func insert(_ step: Int32, _ graph: ScheduleGraph) {
        steps.append(step)
        var index = steps.count - 1
        while index > 0, graph.comesFirst(step, steps[(index - 1) / 2]) {
            steps[index] = steps[(index - 1) / 2]
            index = (index - 1) / 2
        }
        steps[index] = step
    }

    mutating func removeFirst(_ graph: ScheduleGraph) {
        guard let last = steps.popLast(), !steps.isEmpty else { return }
        steps[0] = last
        sink(0, graph)
    }

    /// Takes out the steps for which the closure says so, and gives them in program order.
    mutating func remove(_ graph: ScheduleGraph, where isToGo: (Int32) -> Bool) -> [Int32] {
        let removed = steps.filter(isToGo).sorted()
        if removed.isEmpty { return [] }
        steps.removeAll(where: isToGo)
        for index in (0..<steps.count / 2).reversed() { sink(index, graph) }
        return removed
    }

    private mutating func sink(_ start: Int, _ graph: ScheduleGraph) {
        let step = steps[start]
        var index = start
        while true {
            var child = 2 * index + 1
            guard child < steps.count else { break }
            if child + 1 < steps.count, graph.comesFirst(steps[child + 1], steps[child]) {
                child += 1
            }
            guard graph.comesFirst(steps[child], step) else { break }
            steps[index] = steps[child]
            index = child
        }
        steps[index] = step
    }
}
