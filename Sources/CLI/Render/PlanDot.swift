import PipelineIR

/// A plan as a Graphviz graph.
enum PlanDot {
    /// Renders the graph.
    static func render(_ plan: Plan) -> TextBuffer {
        let graph = PlanGraph(plan)
        var buffer = TextBuffer(capacity: graph.nodes.count * 64 + graph.edges.count * 24)
        buffer.put("digraph \"\(label(plan.pipeline))\" {\n")
        buffer.put("    node [shape=box, style=rounded, fontname=\"Helvetica\"]\n")
        buffer.put("    edge [fontname=\"Helvetica\"]\n")
        GraphClusters(graph, plan.groups).walk { event in
            switch event {
            case .node(let index, let depth):
                buffer.blanks(4 * (depth + 1))
                put(graph.nodes[index], index, &buffer)
            case .open(let index, let depth):
                let group = plan.groups[index]
                buffer.blanks(4 * (depth + 1))
                buffer.put("subgraph cluster_\(index) {\n")
                buffer.blanks(4 * (depth + 2))
                let title = group.name.isEmpty ? group.kind.word : group.name
                buffer.put("label=\"\(label(title))\"; style=dashed;\n")
            case .close(let depth):
                buffer.blanks(4 * (depth + 1))
                buffer.put("}\n")
            }
        }
        for edge in graph.edges {
            buffer.put("    n\(edge.from) -> n\(edge.to)")
            switch edge.kind {
            case .order: break
            case .data: buffer.put(" [style=dashed, label=\"output\"]")
            case .yes: buffer.put(" [label=\"yes\"]")
            case .no: buffer.put(" [label=\"no\"]")
            }
            buffer.put(";\n")
        }
        buffer.put("}\n")
        return buffer
    }

    private static func put(_ node: PlanGraph.Node, _ index: Int, _ buffer: inout TextBuffer) {
        buffer.put("n\(index) [label=\"\(label(node.label))\"")
        switch node.kind {
        case .step: if node.conditional { buffer.put(", style=\"rounded,dashed\"") }
        case .upload: buffer.put(", shape=cylinder, style=solid")
        case .decision: buffer.put(", shape=diamond, style=solid")
        case .success: buffer.put(", shape=ellipse")
        case .failure: buffer.put(", shape=ellipse, color=red")
        case .live: buffer.put(", shape=ellipse, style=dashed")
        }
        buffer.put("];\n")
    }

    /// A quoted string's content: graphviz reads `\\`, `\"` and escapes such as `\N`.
    static func label(_ text: String) -> String {
        var result = ""
        for scalar in DisplayText.fitted(text, columns: 120).unicodeScalars {
            if scalar == "\"" || scalar == "\\" { result += "\\" }
            // Entities are read too: `&amp;` must stay what it was.
            if scalar == "&" { result += "&amp;" } else { result.unicodeScalars.append(scalar) }
        }
        return result
    }
}
