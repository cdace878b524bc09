internal import PipelineIR
internal import Wire

/// Makes messages of what stands beside a plan's steps.
enum PlanToWire {
    /// The fields before the steps.
    static func head(_ plan: Plan) -> Danube_Plan_V1_Plan {
        var message = Danube_Plan_V1_Plan()
        message.version = Plan.schemaVersion
        message.pipeline = plan.pipeline
        message.entry = plan.entry
        message.parameters = plan.parameters.map { parameter in
            var message = Danube_Plan_V1_Parameter()
            message.name = parameter.name
            message.type = parameter.type
            message.valueJson = parameter.valueJSON
            return message
        }
        return message
    }

    /// The fields after the steps.
    static func tail(_ plan: Plan) -> Danube_Plan_V1_Plan {
        var message = Danube_Plan_V1_Plan()
        message.conditions = plan.conditions.map(TemplateToWire.condition)
        message.exits = plan.exits.map(exit)
        message.frames = plan.frames.map(frame)
        message.sources = plan.sources.map(source)
        message.notes = plan.notes.map(note)
        message.context = plan.context.map { value in
            var message = Danube_Plan_V1_ContextValue()
            message.name = value.name
            message.valueJson = value.valueJSON
            return message
        }
        message.defaultImage = plan.defaultImage
        message.groups = plan.groups.map(group)
        message.description_p = plan.description
        message.concurrency = plan.concurrency
        message.concurrencyRule = plan.concurrencyRule
        return message
    }

    /// 1 + an index, 0 when it is absent.
    static func reference(_ index: Int32?) -> UInt32 {
        index.map { UInt32(clamping: Int64($0) + 1) } ?? 0
    }

    private static func exit(_ exit: Exit) -> Danube_Plan_V1_Exit {
        var message = Danube_Plan_V1_Exit()
        switch exit.kind {
        case .success: message.kind = .success
        case .failure: message.kind = .failure
        case .live: message.kind = .live
        }
        message.condition = reference(exit.condition?.value)
        message.message = exit.message
        message.frame = reference(exit.frame?.value)
        message.code = exit.code
        message.expression = exit.expression
        return message
    }

    private static func frame(_ frame: PipelineIR.Frame) -> Danube_Plan_V1_Frame {
        var message = Danube_Plan_V1_Frame()
        message.file = frame.file
        message.line = UInt32(clamping: frame.line)
        message.column = UInt32(clamping: frame.column)
        message.endLine = UInt32(clamping: frame.endLine)
        message.endColumn = UInt32(clamping: frame.endColumn)
        message.function = frame.function
        message.parent = reference(frame.parent?.value)
        return message
    }

    private static func source(_ source: Source) -> Danube_Plan_V1_Source {
        var message = Danube_Plan_V1_Source()
        message.path = source.path
        switch source.kind {
        case .file: message.kind = .file
        case .listing: message.kind = .listing
        case .absent: message.kind = .absent
        }
        message.digest = source.digest
        return message
    }

    private static func note(_ note: Note) -> Danube_Plan_V1_Note {
        var message = Danube_Plan_V1_Note()
        message.text = TemplateToWire.template(note.text)
        message.condition = reference(note.condition?.value)
        message.frame = reference(note.frame?.value)
        message.after = UInt32(clamping: note.after)
        return message
    }

    private static func group(_ group: Group) -> Danube_Plan_V1_Group {
        var message = Danube_Plan_V1_Group()
        switch group.kind {
        case .parallel: message.kind = .parallel
        case .sequence: message.kind = .sequence
        }
        message.name = group.name
        message.parent = reference(group.parent?.value)
        message.failFast = group.failFast
        message.frame = reference(group.frame?.value)
        return message
    }
}
