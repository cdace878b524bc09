import PipelineIR

/// A plan as a Mermaid flowchart. Every label is quoted and its special characters are entities,
/// so that a name cannot end the label, add a node or carry markup.
enum PlanMermaid {
    /// Renders the flowchart.
    static func render(_ plan: Plan) -> TextBuffer {
        render(PlanGraph(plan), groups: plan.groups)
    }

    static func render(_ graph: PlanGraph, groups: [Group]) -> TextBuffer {
        var buffer = TextBuffer(capacity: graph.nodes.count * 48 + graph.edges.count * 16)
        buffer.put("flowchart TD\n")
        putNodes(graph, groups, &buffer)
        for edge in graph.edges {
            buffer.put("    n")
            buffer.put(edge.from)
            switch edge.kind {
            case .order: buffer.put(" --> n")
            case .data: buffer.put(" -. output .-> n")
            case .yes: buffer.put(" -- yes --> n")
            case .no: buffer.put(" -- no --> n")
            }
            buffer.put(edge.to)
            buffer.put(byte: 0x0a)
        }
        putClasses(graph, &buffer)
        return buffer
    }

    private static func putNodes(
        _ graph: PlanGraph, _ groups: [Group], _ buffer: inout TextBuffer
    ) {
        let clusters = GraphClusters(graph, groups)
        clusters.walk { event in
            switch event {
            case .node(let index, let depth):
                buffer.blanks(4 * (depth + 1))
                put(graph.nodes[index], index, &buffer)
            case .open(let index, let depth):
                buffer.blanks(4 * (depth + 1))
                buffer.put("subgraph g\(index)[\"")
                let group = groups[index]
                let title = group.name.isEmpty ? group.kind.word : group.name
                buffer.put(label(title))
                buffer.put("\"]\n")
            case .close(let depth):
                buffer.blanks(4 * (depth + 1))
                buffer.put("end\n")
            }
        }
    }

    private static func put(_ node: PlanGraph.Node, _ index: Int, _ buffer: inout TextBuffer) {
        let (open, close) =
            switch node.kind {
            case .step: ("[\"", "\"]")
            case .upload: ("[(\"", "\")]")
            case .decision: ("{\"", "\"}")
            case .success, .failure, .live: ("([\"", "\"])")
            }
        buffer.put("n")
        buffer.put(index)
        buffer.put(open)
        buffer.put(label(node.label))
        buffer.put(close)
        buffer.put(byte: 0x0a)
    }

    private static func putClasses(_ graph: PlanGraph, _ buffer: inout TextBuffer) {
        let styles: [(String, String, (PlanGraph.Node) -> Bool)] = [
            ("conditional", "stroke-dasharray: 5 3", { $0.kind == .step && $0.conditional }),
            ("decision", "stroke-width: 2px", { $0.kind == .decision }),
            ("live", "stroke-dasharray: 2 2", { $0.kind == .live }),
            ("failure", "stroke: #c33", { $0.kind == .failure }),
        ]
        for (name, style, applies) in styles {
            let members = graph.nodes.indices.filter { applies(graph.nodes[$0]) }
            if members.isEmpty { continue }
            buffer.put("    classDef \(name) \(style)\n    class ")
            buffer.put(members.map { "n\($0)" }.joined(separator: ","))
            buffer.put(" \(name)\n")
        }
    }

    /// A label of at most 80 columns, with entities for all that Mermaid or HTML might read.
    static func label(_ text: String) -> String {
        var result = ""
        for scalar in DisplayText.fitted(text, columns: 80).unicodeScalars {
            switch scalar {
            case "\"": result += "#quot;"
            case "#": result += "#35;"
            case "&": result += "#amp;"
            case "<": result += "#lt;"
            case ">": result += "#gt;"
            case "`", ";", "\\", "{", "}", "[", "]", "(", ")", "|", "*", "_", "~", "%", "$", "@":
                result += "#\(scalar.value);"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result.isEmpty ? " " : result
    }
}
