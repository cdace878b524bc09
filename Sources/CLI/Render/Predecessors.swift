import PipelineIR

/// What a step waits for, as numbers of lines of the table: `3, 5–12`.
enum Predecessors {
    /// All steps that have an edge to this one, ascending, each once.
    static func of(_ step: Step) -> [StepIndex] {
        let lists = [step.order, step.data, step.conditional, step.needs ?? []].filter {
            !$0.isEmpty
        }
        if lists.isEmpty { return [] }
        if lists.count == 1 { return lists[0] }
        var merged = lists.flatMap { $0 }
        merged.sort()
        var unique: [StepIndex] = []
        unique.reserveCapacity(merged.count)
        for index in merged where unique.last != index { unique.append(index) }
        return unique
    }

    /// Numbers from 1, neighbours joined to ranges.
    static func words(_ step: Step, dash: String) -> String {
        if step.data.isEmpty, step.conditional.isEmpty, step.needs == nil, step.order.count == 1 {
            return String(step.order[0].int + 1)
        }
        let all = of(step)
        if all.isEmpty { return "" }
        var text = ""
        var start = 0
        while start < all.count {
            var end = start
            while end + 1 < all.count, all[end + 1].value == all[end].value + 1 { end += 1 }
            if !text.isEmpty { text += "," }
            text += String(all[start].int + 1)
            if end > start { text += (end == start + 1 ? "," : dash) + String(all[end].int + 1) }
            start = end + 1
        }
        return text
    }
}
